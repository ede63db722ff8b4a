package io.millrace.schemas.serde;

import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/** Somebody else's deserializer, with this package's exceptions. As safe for threads as the other one is. */
final class ForeignDeserializer<T extends SpecificRecord> implements Deserializer<T> {

    private final Class<T> type;
    private final Deserializer<?> deserializer;

    ForeignDeserializer(Class<T> type, Deserializer<?> deserializer) {
        AvroClasses.permit();
        this.type = type;
        this.deserializer = deserializer;
    }

    @Override
    public @Nullable T deserialize(String topic, byte @Nullable [] bytes) {
        return deserialize(topic, new RecordHeaders(), bytes);
    }

    @Override
    public @Nullable T deserialize(String topic, Headers headers, byte @Nullable [] bytes) {
        Object record;
        try {
            record = deserializer.deserialize(topic, headers, bytes);
        } catch (RuntimeException e) {
            throw ForeignFailures.translated(e);
        }
        if (record != null && !type.isInstance(record)) {
            throw new SerializationException(
                    "value=a " + record.getClass().getName() + ", expected=a " + type.getName());
        }
        return type.cast(record);
    }

    @Override
    public void close() {
        deserializer.close();
    }
}
