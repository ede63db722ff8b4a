package io.millrace.schemas.serde;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * Writes a record as one line of JSON. Field names are the schema's; absent fields are left out; enums are their symbols, bytes
 * base64, times milliseconds since 1970-01-01 UTC; NaN and the infinities are strings. Safe for many threads.
 */
public final class JsonRecordSerializer<T extends SpecificRecord> implements Serializer<T> {

    private static final JsonFactory FACTORY = new JsonFactory();

    /** Writes the record, and takes a schema header out of {@code headers} that was passed on from another record. */
    @Override
    public byte @Nullable [] serialize(String topic, @Nullable Headers headers, @Nullable T record) {
        StaleHeaders.remove(headers);
        return serialize(topic, record);
    }

    @Override
    public byte @Nullable [] serialize(String topic, @Nullable T record) {
        if (record == null) {
            return null;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator out = FACTORY.createGenerator(bytes)) {
            JsonRecordWriter.write(record, out);
        } catch (IOException | RuntimeException e) {
            throw new SerializationException(
                    record.getSchema().getName() + " cannot be written as JSON: " + e.getMessage(), e);
        }
        return bytes.toByteArray();
    }
}
