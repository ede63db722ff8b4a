package io.millrace.ingest;

import io.millrace.ingest.Outstanding.Waiting;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.schemas.serde.RegistryUnavailableException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings records to the prompts that they end. Values of other people's are not decoded.
 *
 * <p>Threads: the reader's.
 */
final class AnswerMatcher implements AnswerReader.Listener, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AnswerMatcher.class);

    /** As Kafka Streams names it. */
    private static final String DEAD_LETTER_REASON = "__streams.errors.message";

    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(1);

    private final PromptClientOptions.Topics topics;
    private final Outstanding outstanding;
    private final Deserializer<InferenceResult> results;
    private final Deserializer<InferenceFailure> failures;

    /** Answers that wait for the registry, one at most for each outstanding prompt. */
    private final Map<String, ConsumerRecord<byte[], byte[]>> undecoded = new LinkedHashMap<>();

    private long triedNanos = System.nanoTime();

    AnswerMatcher(Map<String, Object> kafka, PromptClientOptions.Topics topics, Outstanding outstanding) {
        this.topics = topics;
        this.outstanding = outstanding;
        this.results = RecordSerdes.deserializer(InferenceResult.class, kafka);
        this.failures = RecordSerdes.deserializer(InferenceFailure.class, kafka);
    }

    @Override
    public void onRecord(ConsumerRecord<byte[], byte[]> record) {
        String correlation = text(record, PromptClient.CORRELATION_HEADER);
        Waiting waiting = correlation == null ? null : outstanding.get(correlation);
        if (correlation == null || waiting == null) {
            return; // somebody else's, or one that came too late
        }
        try {
            end(correlation, waiting, record);
        } catch (RegistryUnavailableException e) {
            LOG.warn("an answer waits for the schema registry: {}", e.getMessage());
            undecoded.put(correlation, record);
        }
    }

    private void end(String correlation, Waiting waiting, ConsumerRecord<byte[], byte[]> record) {
        try {
            if (record.topic().equals(topics.deadLetters())) {
                String reason = String.valueOf(text(record, DEAD_LETTER_REASON));
                outstanding.fail(correlation, waiting, new PromptException.DeadLettered(waiting.requestId(), reason));
            } else if (record.topic().equals(topics.failures())) {
                InferenceFailure failure =
                        present(failures.deserialize(record.topic(), record.headers(), record.value()));
                outstanding.fail(correlation, waiting, new PromptException.Failed(waiting.requestId(), failure));
            } else {
                InferenceResult result = present(results.deserialize(record.topic(), record.headers(), record.value()));
                outstanding.complete(correlation, waiting, new Answer(result, waiting.traceparent()));
            }
        } catch (RegistryUnavailableException e) {
            throw e;
        } catch (RuntimeException e) { // of Kafka's, or of a serializer that is not ours
            String place = record.topic() + "-" + record.partition() + "@" + record.offset();
            outstanding.fail(correlation, waiting, new PromptException.Unreadable(waiting.requestId(), place, e));
        }
    }

    private static <T> T present(@Nullable T answer) {
        if (answer == null) {
            throw new SerializationException("value=null, expected=a record");
        }
        return answer;
    }

    private static @Nullable String text(ConsumerRecord<byte[], byte[]> record, String header) {
        Header found = record.headers().lastHeader(header);
        return found == null || found.value() == null ? null : new String(found.value(), StandardCharsets.UTF_8);
    }

    @Override
    public void onTime(long nowNanos) {
        outstanding.expire(nowNanos);
        if (!undecoded.isEmpty() && nowNanos - triedNanos >= BETWEEN_TRIES.toNanos()) {
            triedNanos = nowNanos;
            List<ConsumerRecord<byte[], byte[]>> again = List.copyOf(undecoded.values());
            undecoded.clear();
            again.forEach(this::onRecord);
        }
    }

    @Override
    public void onEnd(RuntimeException cause) {
        outstanding.stop(cause);
    }

    /** Answers that wait for the registry. */
    int undecoded() {
        return undecoded.size();
    }

    /** Gives up the registry's connections; any thread, once nothing is waited for. */
    @Override
    public void close() {
        results.close();
        failures.close();
    }
}
