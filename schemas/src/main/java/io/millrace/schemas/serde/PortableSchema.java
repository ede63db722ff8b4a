package io.millrace.schemas.serde;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;

/** A generated record's schema as the .avsc file has it, without the marks that only Java reads. */
final class PortableSchema {

    private PortableSchema() {}

    static Schema of(Schema generated) {
        try {
            JsonNode json = new ObjectMapper().readTree(generated.toString());
            return new Schema.Parser().parse(strip(json).toString());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a schema that is no JSON", e);
        }
    }

    private static JsonNode strip(JsonNode node) {
        return switch (node) {
            case ObjectNode object -> stripObject(object);
            case ArrayNode array -> {
                ArrayNode stripped = JsonNodeFactory.instance.arrayNode();
                array.forEach(element -> stripped.add(strip(element)));
                yield stripped;
            }
            default -> node;
        };
    }

    /** {@code {"type": "string", "avro.java.string": "String"}} becomes {@code "string"}. */
    private static JsonNode stripObject(ObjectNode object) {
        ObjectNode stripped = JsonNodeFactory.instance.objectNode();
        boolean isMarked = object.has(GenericData.STRING_PROP);
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            if (!entry.getKey().equals(GenericData.STRING_PROP)) {
                stripped.set(entry.getKey(), strip(entry.getValue()));
            }
        }
        return isMarked && stripped.size() == 1 ? stripped.get("type") : stripped;
    }
}
