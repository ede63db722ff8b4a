package io.millrace.schemas.serde;

import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/** Somebody else's serializer, with this package's exceptions. As safe for threads as the other one is. */
final class ForeignSerializer<T extends SpecificRecord> implements Serializer<T> {

    private final Serializer<T> serializer;

    ForeignSerializer(Serializer<T> serializer) {
        this.serializer = serializer;
    }

    @Override
    public byte @Nullable [] serialize(String topic, @Nullable T record) {
        try {
            return serializer.serialize(topic, record);
        } catch (RuntimeException e) {
            throw ForeignFailures.translated(e);
        }
    }

    @Override
    public byte @Nullable [] serialize(String topic, @Nullable Headers headers, @Nullable T record) {
        StaleHeaders.remove(headers);
        try {
            return serializer.serialize(topic, headers, record);
        } catch (RuntimeException e) {
            throw ForeignFailures.translated(e);
        }
    }

    @Override
    public void close() {
        serializer.close();
    }
}
