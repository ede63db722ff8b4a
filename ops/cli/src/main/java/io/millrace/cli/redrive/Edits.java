package io.millrace.cli.redrive;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.InvalidFieldException;
import io.millrace.schemas.serde.JsonRecordDeserializer;
import io.millrace.schemas.serde.JsonRecordSerializer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import org.apache.avro.Schema;
import org.apache.kafka.common.errors.SerializationException;

/** Changes to a prompt's fields: some get a value, some become absent. */
public final class Edits {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final JsonRecordSerializer<PromptRequest> writer = new JsonRecordSerializer<>();
    private final JsonRecordDeserializer<PromptRequest> reader = new JsonRecordDeserializer<>(PromptRequest.class);

    /** Null where a field shall be absent. */
    private final ObjectNode values;

    private Edits(ObjectNode values) {
        this.values = values;
    }

    /**
     * Edits as they are typed.
     *
     * @param sets {@code field=value}: text as it stands for fields of text, else JSON
     * @param unsets fields
     * @throws IllegalArgumentException no field of a prompt, or no value of the field's type
     */
    public static Edits of(List<String> sets, List<String> unsets) {
        ObjectNode values = JSON.createObjectNode();
        for (String set : sets) {
            int equals = set.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("--set=" + set + ", expected=FIELD=VALUE");
            }
            String field = set.substring(0, equals);
            values.set(field, value(field, set.substring(equals + 1)));
        }
        for (String field : unsets) {
            if (values.has(field)) {
                throw new IllegalArgumentException("--unset=" + field + ", expected=a field that --set does not name");
            }
            values.putNull(field);
        }
        Edits edits = new Edits(values);
        try {
            edits.read(values);
        } catch (InvalidFieldException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
        return edits;
    }

    private static JsonNode value(String field, String text) {
        Schema.Field known = PromptRequest.getClassSchema().getField(field);
        if (known != null && isText(known.schema())) {
            return JSON.getNodeFactory().textNode(text);
        }
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return JSON.getNodeFactory().textNode(text);
        }
    }

    private static boolean isText(Schema schema) {
        return schema.isUnion()
                ? schema.getTypes().stream().anyMatch(Edits::isText)
                : schema.getType() == Schema.Type.STRING;
    }

    boolean isEmpty() {
        return values.isEmpty();
    }

    /** @throws SerializationException the outcome is no prompt */
    PromptRequest apply(PromptRequest prompt) {
        try {
            ObjectNode edited = (ObjectNode) JSON.readTree(writer.serialize("", prompt));
            values.properties().forEach(edit -> edited.set(edit.getKey(), edit.getValue()));
            return read(edited);
        } catch (IOException e) {
            throw new UncheckedIOException("our own JSON", e);
        }
    }

    private PromptRequest read(ObjectNode object) {
        try {
            return Optional.ofNullable(reader.deserialize("", JSON.writeValueAsBytes(object)))
                    .orElseThrow();
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("our own JSON", e);
        }
    }
}
