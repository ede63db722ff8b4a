package io.millrace.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** JSON lines, in and out. */
final class Json {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static final ObjectReader OBJECT = MAPPER.readerFor(JsonNode.class)
            .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .with(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

    private Json() {}

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static ArrayNode array() {
        return MAPPER.createArrayNode();
    }

    static JsonNode tree(Object value) {
        return MAPPER.valueToTree(value);
    }

    /** The object on a line; a {@link BadLineException} says why there is none. */
    static ObjectNode parseObject(String line) {
        JsonNode node;
        try {
            node = OBJECT.readTree(line);
        } catch (JsonProcessingException e) {
            String where = e.getLocation() == null
                    ? ""
                    : " at column " + e.getLocation().getColumnNr();
            throw new BadLineException("not JSON: " + e.getOriginalMessage() + where);
        }
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw new BadLineException("value=" + shorten(line) + ", expected=a JSON object");
    }

    /** Refuses fields that nothing reads, which are misspelled more often than not. */
    static void requireKnownFields(ObjectNode object, Set<String> known) {
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            if (!known.contains(field.getKey())) {
                throw new BadLineException(field.getKey() + "=" + describe(field.getValue()) + ", expected=one of "
                        + String.join(", ", new TreeSet<>(known)));
            }
        }
    }

    /** A field that must be a string. */
    static String requireText(ObjectNode object, String field) {
        JsonNode node = object.path(field);
        if (!node.isTextual()) {
            throw new BadLineException(field + "=" + describe(node) + ", expected=a string");
        }
        return node.textValue();
    }

    /** A field that is true, false or absent. */
    static Optional<Boolean> optionalBoolean(ObjectNode object, String field) {
        JsonNode node = object.path(field);
        if (node.isMissingNode() || node.isNull()) {
            return Optional.empty();
        }
        if (!node.isBoolean()) {
            throw new BadLineException(field + "=" + describe(node) + ", expected=true or false");
        }
        return Optional.of(node.booleanValue());
    }

    /** Prints one line. */
    static void print(PrintStream out, ObjectNode object) {
        try {
            out.println(MAPPER.writeValueAsString(object));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String describe(JsonNode node) {
        return node.isMissingNode() ? "absent" : shorten(node.toString());
    }

    private static String shorten(String text) {
        return TextWidth.truncate(text, 80);
    }
}
