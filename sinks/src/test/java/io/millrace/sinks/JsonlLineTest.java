package io.millrace.sinks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class JsonlLineTest {
    private final JsonlLine lines = new JsonlLine(ValueToJson.json());

    @Test
    void shouldPutARecordOnOneLineWithItsPlace() {
        assertThat(text(lines.of(record("user-1", "{\n  \"text\": \"a\\nb\",\n  \"n\": 1.50}"))))
                .isEqualTo(
                        "{\"topic\":\"results\",\"partition\":2,\"offset\":42,\"timestamp\":\"2026-11-24T12:00:00Z\",\"key\":\"user-1\","
                                + "\"headers\":[{\"name\":\"traceparent\",\"value\":\"00-ab\"},{\"name\":\"raw\",\"value_base64\":\"/w==\"}],"
                                + "\"value\":{\"text\":\"a\\nb\",\"n\":1.50}}\n");
    }

    @Test
    void shouldKeepNullKeyAndNullValue() {
        assertThat(text(lines.of(record(null, null)))).contains("\"key\":null,").endsWith("\"value\":null}\n");
    }

    @Test
    void shouldKeepAValueThatIsNoJsonAsBase64WithTheReason() {
        String line = text(lines.of(record("k", "{\"text\":")));
        assertThat(line)
                .endsWith("],\"value_base64\":\"eyJ0ZXh0Ijo=\","
                        + "\"error\":\"Unexpected end-of-input within/between Object entries\"}\n");
        assertThat(JsonlLine.offsetOf(line.getBytes(UTF_8))).hasValue(42);
        assertThat(text(lines.of(record("k", "{} {}"))))
                .contains("\"error\":\"value=more than one, expected=one JSON value\"");
    }

    @Test
    void shouldKeepAValueThatCannotBeDecodedAsBase64WithTheReason() {
        JsonlLine failing = new JsonlLine((record, value) -> {
            throw new SerializationException("schema id=7, expected=known to the registry");
        });
        assertThat(text(failing.of(record("k", "x"))))
                .endsWith("\"value_base64\":\"eA==\",\"error\":\"schema id=7, expected=known to the registry\"}\n");
    }

    @Test
    void shouldReadTheOffsetOfAWholeLineOnly() {
        byte[] line = lines.of(record("k", "{\"offset\":7,\"partition\":{\"offset\":8}}"));
        byte[] whole = Arrays.copyOf(line, line.length - 1);
        assertThat(JsonlLine.offsetOf(whole)).hasValue(42);
        for (int cut = 0; cut < whole.length; cut++) {
            assertThat(JsonlLine.offsetOf(Arrays.copyOf(whole, cut))).isEmpty();
        }
        assertThat(JsonlLine.offsetOf(new byte[20])).isEmpty();
        assertThat(JsonlLine.offsetOf("[1]".getBytes(UTF_8))).isEmpty();
        assertThat(JsonlLine.offsetOf("{\"offset\":1}{}".getBytes(UTF_8))).isEmpty();
    }

    private static String text(byte[] line) {
        return new String(line, UTF_8);
    }

    private static ConsumerRecord<byte[], byte[]> record(@Nullable String key, @Nullable String value) {
        RecordHeaders headers = new RecordHeaders();
        headers.add("traceparent", "00-ab".getBytes(UTF_8)).add("raw", new byte[] {(byte) 0xff});
        return new ConsumerRecord<>(
                "results",
                2,
                42,
                1_795_521_600_000L,
                TimestampType.CREATE_TIME,
                0,
                0,
                key == null ? null : key.getBytes(UTF_8),
                value == null ? null : value.getBytes(UTF_8),
                headers,
                Optional.empty());
    }
}
