package io.millrace.devstack.oracle;

import io.millrace.devstack.TopicReader;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.Source;
import io.millrace.schemas.serde.RecordSerdes;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.utils.Bytes;

/**
 * The one oracle of every fault: with the application down and all transactions finished, each input offset below the
 * committed ones has exactly one record among results, failures and dead letters, and the pending store is empty.
 *
 * <p>Reads whole topics into memory, so each test has its own.
 */
public final class ExactlyOnceOracle {

    // Kafka Streams' names for what a dead letter was
    private static final String DEAD_LETTER_PARTITION = "__streams.errors.partition";
    private static final String DEAD_LETTER_OFFSET = "__streams.errors.offset";

    private final TopicReader kafka;
    private final String applicationId;
    private final OracleTopics topics;
    private final Map<String, ?> serdeConfig;

    /**
     * An oracle of one application.
     *
     * @param serdeConfig how outputs are written: the registry's properties, or empty for JSON
     */
    public ExactlyOnceOracle(TopicReader kafka, String applicationId, OracleTopics topics, Map<String, ?> serdeConfig) {
        this.kafka = kafka;
        this.applicationId = applicationId;
        this.topics = topics;
        this.serdeConfig = Map.copyOf(serdeConfig);
    }

    /** Reads everything. The application must be down, or have nothing to do. */
    public Verdict check() {
        List.of(topics.results(), topics.failures(), topics.metrics(), topics.deadLetters(), topics.changelog())
                .forEach(kafka::awaitNoOpenTransaction);
        Map<TopicPartition, Long> committed = kafka.committedOffsets(applicationId);
        Set<Place> inputs = new TreeSet<>();
        int uncommitted = 0;
        for (ConsumerRecord<byte[], byte[]> prompt : kafka.readCommitted(topics.prompts())) {
            long upTo = committed.getOrDefault(new TopicPartition(topics.prompts(), prompt.partition()), 0L);
            if (prompt.offset() < upTo) {
                inputs.add(new Place(prompt.partition(), prompt.offset()));
            } else {
                uncommitted++;
            }
        }
        List<InferenceResult> results = values(topics.results(), InferenceResult.class);
        List<InferenceFailure> failures = values(topics.failures(), InferenceFailure.class);
        List<Place> failed = new ArrayList<>();
        failures.forEach(failure -> failed.add(place(failure.getSource())));
        List<ConsumerRecord<byte[], byte[]>> deadLetters = kafka.readCommitted(topics.deadLetters());
        deadLetters.forEach(letter -> failed.add(place(letter)));
        Map<Place, Integer> endings = new TreeMap<>();
        results.forEach(result -> endings.merge(place(result.getSource()), 1, Integer::sum));
        failed.forEach(place -> endings.merge(place, 1, Integer::sum));
        return new Verdict(
                inputs,
                uncommitted,
                endings,
                new TreeSet<>(failed),
                results,
                failures,
                deadLetters.size(),
                values(topics.metrics(), InferenceMetrics.class).size(),
                pending());
    }

    /** What the changelog compacts to. */
    private int pending() {
        Set<Bytes> pending = new TreeSet<>();
        for (ConsumerRecord<byte[], byte[]> change : kafka.readCommitted(topics.changelog())) {
            Bytes key = Bytes.wrap(change.key());
            if (change.value() == null) {
                pending.remove(key);
            } else {
                pending.add(key);
            }
        }
        return pending.size();
    }

    private <T extends SpecificRecord> List<T> values(String topic, Class<T> type) {
        List<T> values = new ArrayList<>();
        try (Deserializer<T> deserializer = RecordSerdes.deserializer(type, serdeConfig)) {
            for (ConsumerRecord<byte[], byte[]> record : kafka.readCommitted(topic)) {
                values.add(deserializer.deserialize(topic, record.headers(), record.value()));
            }
        }
        return values;
    }

    private static Place place(Source source) {
        return new Place(source.getPartition(), source.getOffset());
    }

    private static Place place(ConsumerRecord<byte[], byte[]> letter) {
        return new Place(
                Integer.parseInt(header(letter, DEAD_LETTER_PARTITION)),
                Long.parseLong(header(letter, DEAD_LETTER_OFFSET)));
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(
                Objects.requireNonNull(record.headers().lastHeader(name), name).value(), StandardCharsets.UTF_8);
    }
}
