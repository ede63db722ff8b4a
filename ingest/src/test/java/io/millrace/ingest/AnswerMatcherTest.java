package io.millrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.ingest.Outstanding.Waiting;
import io.millrace.ingest.PromptClientOptions.Topics;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.Source;
import io.millrace.schemas.serde.RecordSerdes;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerMatcherTest {

    private static final Topics TOPICS = Topics.DEFAULT;

    private final Outstanding outstanding = new Outstanding(10);
    private final AnswerMatcher matcher = new AnswerMatcher(Map.of(), TOPICS, outstanding);

    @Test
    void shouldPassOverWhatNamesNobody() {
        Waiting waiting = waiting("c-1");
        matcher.onRecord(record(TOPICS.results(), null, new byte[0]));
        ConsumerRecord<byte[], byte[]> named = record(TOPICS.results(), "c-2", new byte[0]);
        matcher.onRecord(named);
        ConsumerRecord<byte[], byte[]> empty = record(TOPICS.results(), null, new byte[0]);
        addNull(empty.headers());
        matcher.onRecord(empty);

        assertThat(waiting.future()).isNotDone();
    }

    // Kafka's headers carry null values; its classes are not annotated
    @SuppressWarnings("NullAway")
    private static void addNull(Headers headers) {
        headers.add(PromptClient.CORRELATION_HEADER, null);
    }

    @ParameterizedTest
    @CsvSource({"ENGINE_ERROR, true", "DEADLINE_EXCEEDED, false", "CANCELLED, true", "RESULT_TOO_LARGE, false"})
    void shouldTellTheFailureAsItIsRecorded(FailureCode code, boolean retriable) {
        Waiting waiting = waiting("c-1");
        InferenceFailure failure = InferenceFailure.newBuilder()
                .setRequestId("r-1")
                .setCode(code)
                .setMessage("why")
                .setRetriable(retriable)
                .setFailedAt(Instant.EPOCH)
                .setSource(new Source("prompts", 0, 0L, Instant.EPOCH))
                .build();
        byte[] value = RecordSerdes.serializer(InferenceFailure.class, Map.of()).serialize("", failure);
        matcher.onRecord(record(TOPICS.failures(), "c-1", value));

        assertThatThrownBy(() -> waiting.future().join())
                .cause()
                .isInstanceOfSatisfying(PromptException.Failed.class, e -> {
                    assertThat(e.code()).isEqualTo(code);
                    assertThat(e.isRetriable()).isEqualTo(retriable);
                    assertThat(e.failure()).isEqualTo(failure);
                })
                .hasMessage("request_id=r-1: " + code + ": why");
    }

    @ParameterizedTest
    @ValueSource(strings = {"millrace.results", "millrace.failures"})
    void shouldNotTakeAnEmptyRecordForAnAnswer(String topic) {
        Waiting waiting = waiting("c-1");
        matcher.onRecord(record(topic, "c-1", null));

        assertThatThrownBy(() -> waiting.future().join())
                .hasCauseInstanceOf(PromptException.Unreadable.class)
                .hasMessageEndingWith("request_id=r-1: the record at " + topic
                        + "-0@3 cannot be read: value=null, expected=a record");
    }

    @Test
    void shouldForgetAnswersThatWaitForTheRegistryWithTheirPrompts() {
        AnswerMatcher away = new AnswerMatcher(
                Map.of("value.deserializer.class", AwayDeserializer.class.getName()), TOPICS, outstanding);
        Waiting waiting = waiting("c-1");
        away.onRecord(record(TOPICS.results(), "c-1", new byte[0]));
        long now = System.nanoTime();
        away.onTime(now + TimeUnit.SECONDS.toNanos(2));
        assertThat(away.undecoded()).isEqualTo(1);

        waiting.future().cancel(true);
        away.onTime(now + TimeUnit.SECONDS.toNanos(4));
        assertThat(away.undecoded()).isZero();
    }

    private Waiting waiting(String correlationId) {
        Waiting waiting = new Waiting("r-1", "", Duration.ofDays(1), Long.MAX_VALUE, new CompletableFuture<>());
        outstanding.awaitRoom();
        outstanding.add(correlationId, waiting);
        return waiting;
    }

    // Kafka's records have null values; its classes are not annotated
    @SuppressWarnings("NullAway")
    private static ConsumerRecord<byte[], byte[]> record(
            String topic, @Nullable String correlationId, byte @Nullable [] value) {
        ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>(topic, 0, 3, new byte[0], value);
        if (correlationId != null) {
            record.headers().add(PromptClient.CORRELATION_HEADER, correlationId.getBytes(StandardCharsets.UTF_8));
        }
        return record;
    }

    /** Needs a registry that never answers. */
    public static final class AwayDeserializer implements Deserializer<InferenceResult> {

        @Override
        public InferenceResult deserialize(String topic, byte[] bytes) {
            throw new TimeoutException("the registry does not answer");
        }
    }
}
