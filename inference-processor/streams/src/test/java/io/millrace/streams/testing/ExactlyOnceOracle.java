package io.millrace.streams.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.devstack.TestKafka;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.Source;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.records.DeadLetterHeaders;
import io.millrace.streams.records.OutputTopics;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.utils.Bytes;

/**
 * The one oracle of every fault: with the application down and all transactions finished, each input offset below the
 * committed ones has exactly one record among results, failures and dead letters, and the pending store is empty.
 *
 * <p>Reads whole topics, so each test has its own.
 */
public final class ExactlyOnceOracle {

    private final TestKafka kafka;
    private final String applicationId;
    private final String prompts;
    private final OutputTopics outputs;
    private final Map<String, ?> serdeConfig;

    /** One prompt event. */
    public record Place(int partition, long offset) implements Comparable<Place> {

        @Override
        public int compareTo(Place other) {
            int byPartition = Integer.compare(partition, other.partition);
            return byPartition != 0 ? byPartition : Long.compare(offset, other.offset);
        }
    }

    /**
     * What was found.
     *
     * @param inputs prompts below the committed offsets
     * @param uncommitted prompts that no commit covers
     * @param endings records for each prompt, among results, failures and dead letters
     * @param pending entries left in the pending store
     */
    public record Verdict(
            Set<Place> inputs,
            int uncommitted,
            Map<Place, Integer> endings,
            List<InferenceResult> results,
            List<InferenceFailure> failures,
            int deadLetters,
            int metrics,
            int pending) {

        /** Prompts without an ending. */
        public Set<Place> lost() {
            Set<Place> lost = new TreeSet<>(inputs);
            lost.removeAll(endings.keySet());
            return lost;
        }

        /** Prompts with more than one. */
        public Set<Place> doubled() {
            Set<Place> doubled = new TreeSet<>();
            endings.forEach((place, count) -> {
                if (count > 1) {
                    doubled.add(place);
                }
            });
            return doubled;
        }

        /** Endings of what is no committed prompt. */
        public Set<Place> unfounded() {
            Set<Place> unfounded = new TreeSet<>(endings.keySet());
            unfounded.removeAll(inputs);
            return unfounded;
        }

        /** Fails unless every prompt was committed and ended exactly once. */
        public void assertExactlyOnce() {
            assertThat(lost()).as("lost").isEmpty();
            assertThat(doubled()).as("doubled").isEmpty();
            assertThat(unfounded()).as("unfounded").isEmpty();
            assertThat(uncommitted).as("prompts not committed").isZero();
            assertThat(pending).as("entries left in the pending store").isZero();
            assertThat(metrics).as("metrics records").isEqualTo(results.size() + failures.size());
        }
    }

    /** @param serdeConfig how outputs are written: the registry's properties, or empty for JSON */
    public ExactlyOnceOracle(
            TestKafka kafka, String applicationId, String prompts, OutputTopics outputs, Map<String, ?> serdeConfig) {
        this.kafka = kafka;
        this.applicationId = applicationId;
        this.prompts = prompts;
        this.outputs = outputs;
        this.serdeConfig = serdeConfig;
    }

    /** Reads everything. The application must be down, or have nothing to do. */
    public Verdict check() {
        for (String topic : List.of(
                outputs.results(),
                outputs.failures(),
                outputs.metrics(),
                outputs.deadLetters(),
                PendingStore.changelog(applicationId))) {
            kafka.awaitNoOpenTransaction(topic);
        }
        Map<TopicPartition, Long> committed = kafka.committedOffsets(applicationId);
        Set<Place> inputs = new TreeSet<>();
        int uncommitted = 0;
        for (ConsumerRecord<byte[], byte[]> prompt : kafka.readCommitted(prompts)) {
            long upTo = committed.getOrDefault(new TopicPartition(prompts, prompt.partition()), 0L);
            if (prompt.offset() < upTo) {
                inputs.add(new Place(prompt.partition(), prompt.offset()));
            } else {
                uncommitted++;
            }
        }
        List<InferenceResult> results = values(outputs.results(), InferenceResult.class);
        List<InferenceFailure> failures = values(outputs.failures(), InferenceFailure.class);
        List<ConsumerRecord<byte[], byte[]>> deadLetters = kafka.readCommitted(outputs.deadLetters());
        Map<Place, Integer> endings = new TreeMap<>();
        results.forEach(result -> count(endings, place(result.getSource())));
        failures.forEach(failure -> count(endings, place(failure.getSource())));
        deadLetters.forEach(letter -> count(endings, place(letter)));
        return new Verdict(
                inputs,
                uncommitted,
                endings,
                results,
                failures,
                deadLetters.size(),
                values(outputs.metrics(), InferenceMetrics.class).size(),
                pending());
    }

    /** What the changelog compacts to. */
    private int pending() {
        Set<Bytes> pending = new TreeSet<>();
        for (ConsumerRecord<byte[], byte[]> change : kafka.readCommitted(PendingStore.changelog(applicationId))) {
            Bytes key = Bytes.wrap(change.key());
            if (change.value() == null) {
                pending.remove(key);
            } else {
                pending.add(key);
            }
        }
        return pending.size();
    }

    private <T extends org.apache.avro.specific.SpecificRecord> List<T> values(String topic, Class<T> type) {
        Deserializer<T> deserializer = RecordSerdes.deserializer(type, serdeConfig);
        List<T> values = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : kafka.readCommitted(topic)) {
            values.add(deserializer.deserialize(topic, record.headers(), record.value()));
        }
        return values;
    }

    private static void count(Map<Place, Integer> endings, Place place) {
        endings.merge(place, 1, Integer::sum);
    }

    private static Place place(Source source) {
        return new Place(source.getPartition(), source.getOffset());
    }

    private static Place place(ConsumerRecord<byte[], byte[]> letter) {
        return new Place(
                Integer.parseInt(header(letter, DeadLetterHeaders.PARTITION)),
                Long.parseLong(header(letter, DeadLetterHeaders.OFFSET)));
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(
                Objects.requireNonNull(record.headers().lastHeader(name), name).value(), StandardCharsets.UTF_8);
    }
}
