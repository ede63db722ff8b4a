package io.millrace.streams.faults;

import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.testing.TestApp;
import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serializer;

/** Prompt records in Avro, under whatever schema id a test wants. */
final class AvroPrompts {

    private static final int ID_AT = 1; // after the magic byte

    private final TestApp test;
    private final Serializer<PromptRequest> serializer;

    AvroPrompts(TestApp test, String registryUrl) {
        this.test = test;
        this.serializer = RecordSerdes.serializer(PromptRequest.class, Map.of("schema.registry.url", registryUrl));
    }

    /** The id that the registry gave the prompts' schema. */
    int schemaId() {
        return ByteBuffer.wrap(value("any")).getInt(ID_AT);
    }

    ProducerRecord<byte[], byte[]> record(int partition, String text) {
        return new ProducerRecord<>(test.prompts(), partition, null, value(text));
    }

    ProducerRecord<byte[], byte[]> record(int partition, String text, int schemaId) {
        byte[] value = value(text);
        ByteBuffer.wrap(value).putInt(ID_AT, schemaId);
        return new ProducerRecord<>(test.prompts(), partition, null, value);
    }

    private byte[] value(String text) {
        return serializer.serialize(
                test.prompts(), PromptRequest.newBuilder().setPrompt(text).build());
    }
}
