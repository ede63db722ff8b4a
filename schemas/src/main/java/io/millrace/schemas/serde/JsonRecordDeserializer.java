package io.millrace.schemas.serde;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.JsonRecordReader.UnknownFields;
import java.io.IOException;
import java.util.Locale;
import java.util.Set;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a record from JSON. An absent field, and a null where the schema has no null, is the schema's default. In records that people
 * and their programs write ({@link PromptRequest}, {@link ControlCommand}) an unknown field is an error; in those that Millrace writes
 * it is from a newer version and skipped. Safe for many threads.
 */
public final class JsonRecordDeserializer<T extends SpecificRecord> implements Deserializer<T> {

    /** Largest value that is looked at, bytes: brokers take less unless told otherwise. */
    static final int MAX_BYTES = 64 << 20;

    /** Deepest nesting that is looked at; the records need 6. */
    static final int MAX_DEPTH = 32;

    private static final Set<Class<?>> WRITTEN_BY_PEOPLE = Set.of(PromptRequest.class, ControlCommand.class);

    private static final ObjectReader TREE = new ObjectMapper(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxStringLength(MAX_BYTES)
                            .build())
                    .build())
            .readerFor(JsonNode.class)
            .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .with(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

    private final JsonRecordReader<T> reader;

    public JsonRecordDeserializer(Class<T> type) {
        AvroClasses.permit();
        this.reader = new JsonRecordReader<>(
                type, WRITTEN_BY_PEOPLE.contains(type) ? UnknownFields.REJECT : UnknownFields.IGNORE);
    }

    /**
     * @throws SerializationException if the bytes are not one JSON object
     * @throws InvalidFieldException if a field is unknown, missing or of the wrong type
     */
    @Override
    public @Nullable T deserialize(String topic, byte @Nullable [] bytes) {
        return bytes == null ? null : reader.read(parse(bytes));
    }

    private static JsonNode parse(byte[] bytes) {
        if (bytes.length > MAX_BYTES) {
            throw new SerializationException("size=" + bytes.length + " bytes, expected=at most " + MAX_BYTES);
        }
        if (bytes.length > 0 && bytes[0] == WireFormat.MAGIC_ID) {
            throw new SerializationException("first byte=0x00, expected=a JSON object; this looks like Avro: set "
                    + RegistryConfig.URL + " or " + RecordFormat.VALUE_FORMAT + "=avro");
        }
        JsonNode root;
        try {
            root = TREE.readTree(bytes);
        } catch (JsonProcessingException e) {
            throw new SerializationException("not JSON: " + e.getOriginalMessage() + where(e), e);
        } catch (IOException e) {
            throw new SerializationException("not JSON: " + e.getMessage(), e);
        }
        if (!root.isObject()) {
            String kind =
                    root.isMissingNode() ? "nothing" : root.getNodeType().name().toLowerCase(Locale.ROOT);
            throw new SerializationException("value=" + kind + ", expected=a JSON object");
        }
        return root;
    }

    private static String where(JsonProcessingException e) {
        return e.getLocation() == null ? "" : " at byte " + e.getLocation().getByteOffset();
    }
}
