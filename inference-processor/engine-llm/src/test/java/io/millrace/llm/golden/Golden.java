package io.millrace.llm.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;

/** The files under {@code golden/}, which the scripts in {@code ops/golden} made. */
public final class Golden {

    private Golden() {}

    public static JsonNode json(String name) throws IOException {
        try (InputStream in = resource(name).openStream()) {
            return new ObjectMapper().readTree(in);
        }
    }

    public static Path path(String name) {
        try {
            return Path.of(resource(name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    public static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).intValue();
        }
        return values;
    }

    private static URL resource(String name) {
        return Objects.requireNonNull(Golden.class.getResource("/golden/" + name), name);
    }
}
