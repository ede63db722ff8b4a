package io.millrace.sinks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.Source;
import io.millrace.schemas.serde.RecordSerdes;
import java.time.Instant;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.Test;

class RecordValuesTest {
    private static final Map<String, String> AVRO = Map.of("schema.registry.url", "mock://sink-values");
    private static final Map<String, Class<? extends SpecificRecord>> TYPES =
            Map.of("failures", InferenceFailure.class);

    @Test
    void shouldTurnAvroIntoTheJsonOfTheSameRecord() {
        InferenceFailure failure = InferenceFailure.newBuilder()
                .setRequestId("r-1")
                .setCode(FailureCode.INVALID_REQUEST)
                .setMessage("temperature=-1, expected=0 to 2")
                .setRetriable(false)
                .setFailedAt(Instant.ofEpochMilli(1_764_000_000_123L))
                .setSource(Source.newBuilder()
                        .setTopic("prompts")
                        .setPartition(3)
                        .setOffset(7)
                        .setTimestamp(Instant.EPOCH)
                        .build())
                .build();
        byte[] avro = RecordSerdes.serializer(InferenceFailure.class, AVRO).serialize("failures", failure);
        byte[] json = RecordSerdes.serializer(InferenceFailure.class, Map.of()).serialize("failures", failure);

        assertThat(avro[0]).isZero();
        assertThat(text(RecordValues.of(TYPES, AVRO).toJson(record("failures", avro), avro)))
                .isEqualTo(text(json));
    }

    @Test
    void shouldLeaveJsonAsItIs() {
        byte[] json = "{\"any\": 1}".getBytes(UTF_8);
        assertThat(RecordValues.of(TYPES, Map.of()).toJson(record("failures", json), json))
                .isEqualTo(json);
    }

    @Test
    void shouldSayWhyAValueIsNoAvro() {
        byte[] json = "{}".getBytes(UTF_8);
        assertThatThrownBy(() -> RecordValues.of(TYPES, AVRO).toJson(record("failures", json), json))
                .isInstanceOf(SerializationException.class);
    }

    @Test
    void shouldRejectATopicOfUnknownType() {
        assertThatThrownBy(() -> RecordValues.of(TYPES, AVRO).toJson(record("other", new byte[1]), new byte[1]))
                .hasMessage("topic=other, expected=one of [failures]");
    }

    @Test
    void shouldRejectAvroWithoutARegistry() {
        assertThatThrownBy(() -> RecordValues.of(TYPES, Map.of("value.format", "avro")))
                .isInstanceOf(ConfigException.class);
    }

    private static ConsumerRecord<byte[], byte[]> record(String topic, byte[] value) {
        return new ConsumerRecord<>(topic, 0, 0, new byte[0], value);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, UTF_8);
    }
}
