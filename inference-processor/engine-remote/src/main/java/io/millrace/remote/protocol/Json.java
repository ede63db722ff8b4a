package io.millrace.remote.protocol;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.engine.InvalidRequestException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** JSON trees. */
public final class Json {

    private static final int MAX_SHOWN_CHARS = 200;

    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static ObjectNode object(Map<String, Object> members) {
        return MAPPER.valueToTree(members);
    }

    /** What a server sent, as a tree. */
    public static JsonNode parse(String text) throws FaultException {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw FaultException.broken("body=" + shorten(text) + ", expected=JSON");
        }
    }

    /** What a server sent, if it is JSON at all. */
    static Optional<JsonNode> tryParse(String text) {
        try {
            return Optional.of(MAPPER.readTree(text));
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    /**
     * A JSON object that a request has in a field.
     *
     * @throws InvalidRequestException when it is none
     */
    static ObjectNode objectOf(String field, String text) {
        if (tryParse(text).orElse(null) instanceof ObjectNode object) {
            return object;
        }
        throw new InvalidRequestException(field, text, "a JSON object");
    }

    static byte[] bytes(JsonNode tree) {
        try {
            return MAPPER.writeValueAsBytes(tree);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree is always JSON", e);
        }
    }

    /** A count in a member of an object. */
    static OptionalInt count(JsonNode object, String name) {
        JsonNode value = object.path(name);
        return value.canConvertToInt() && value.intValue() >= 0
                ? OptionalInt.of(value.intValue())
                : OptionalInt.empty();
    }

    /** A text that is not empty in a member of an object. */
    static Optional<String> text(JsonNode object, String name) {
        JsonNode value = object.path(name);
        return value.isTextual() && !value.textValue().isEmpty() ? Optional.of(value.textValue()) : Optional.empty();
    }

    /** A line of bounded length. */
    static String shorten(String text) {
        String line = text.strip().replaceAll("\\s+", " ");
        return line.length() <= MAX_SHOWN_CHARS ? line : line.substring(0, MAX_SHOWN_CHARS) + "…";
    }
}
