package io.millrace.remote;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * A value that stands in a file or an environment variable, never in a configuration, a log or a message: {@link #toString}
 * gives the place. A file is read each time, so that a secret that was replaced there is taken up.
 */
public final class Secret {

    /** Far above any key or token; a larger file is the wrong one. */
    private static final long MAX_BYTES = 64 << 10;

    private final String name;
    private final String place;
    private final Map<String, String> environment;
    private final String prefix;

    private Secret(String name, String place, String prefix, Map<String, String> environment) {
        this.name = name;
        this.place = place;
        this.prefix = prefix;
        this.environment = environment;
    }

    /**
     * A secret by its place: {@code env:NAME} or {@code file:/path}.
     *
     * @param name of the option, for messages
     * @throws IllegalArgumentException when the place has another form, or nothing readable is there
     */
    public static Secret at(String name, String place) {
        return at(name, place, System.getenv());
    }

    static Secret at(String name, String place, Map<String, String> environment) {
        boolean known = place.startsWith("env:") || place.startsWith("file:");
        // what stands there may be the secret itself
        RemoteOptions.check(name, "(not shown)", known, "env:NAME or file:/path");
        Secret secret = new Secret(name, place, "", environment);
        var _ = secret.value();
        return secret;
    }

    /** The same with {@code prefix} before its value: {@code Bearer }, say. */
    public Secret prefixed(String prefix) {
        return new Secret(name, place, prefix, environment);
    }

    /**
     * The value now, without the line's end, for who sends it.
     *
     * @throws IllegalArgumentException when there is none
     */
    public String value() {
        String value = place.startsWith("env:") ? fromEnvironment() : fromFile();
        boolean oneLine = !value.isEmpty() && RemoteOptions.isHeaderValue(value);
        RemoteOptions.check(name, place, oneLine, "one line of ASCII that is not empty");
        return prefix + value;
    }

    private String fromEnvironment() {
        String value = environment.get(place.substring("env:".length()));
        if (value == null) {
            throw new IllegalArgumentException(name + "=" + place + ", expected=a variable that is set");
        }
        return value;
    }

    private String fromFile() {
        Path file = Path.of(place.substring("file:".length()));
        try {
            RemoteOptions.check(
                    name, place, Files.size(file) <= MAX_BYTES, "a file of at most " + MAX_BYTES + " bytes");
            return Files.readString(file, StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new IllegalArgumentException(name + "=" + place + ", expected=a readable file: " + e, e);
        }
    }

    @Override
    public String toString() {
        return place;
    }
}
