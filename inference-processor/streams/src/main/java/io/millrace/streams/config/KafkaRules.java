package io.millrace.streams.config;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.StreamsConfig;

/**
 * Which of Kafka's properties are not the user's to set: those that exactly-once stands on, and those that a key of ours sets.
 * They hold for a configuration file and for one that is put together in code alike.
 */
public final class KafkaRules {

    /** Property, the only value it may have, and why. */
    private record Guarded(String name, String only, String why) {}

    private static final String EXACTLY_ONCE = "every prompt is answered exactly once";
    private static final List<Guarded> GUARDED = List.of(
            new Guarded(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2, EXACTLY_ONCE),
            new Guarded(
                    StreamsConfig.GROUP_PROTOCOL_CONFIG,
                    "classic",
                    "the streams protocol bypasses the gate and the fence"),
            new Guarded(
                    StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG,
                    "0",
                    "a paused standby can miss expired tombstones, and takeover would wait for it"),
            new Guarded(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true", EXACTLY_ONCE),
            new Guarded(ProducerConfig.ACKS_CONFIG, "all", EXACTLY_ONCE),
            new Guarded(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed", EXACTLY_ONCE),
            new Guarded(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false", EXACTLY_ONCE));

    /** Properties that are set elsewhere, and where. */
    private static final Map<String, String> ELSEWHERE = Map.of(
            StreamsConfig.APPLICATION_ID_CONFIG, "application_id",
            ConsumerConfig.GROUP_ID_CONFIG, "application_id",
            StreamsConfig.NUM_STREAM_THREADS_CONFIG, "processor.num_stream_threads",
            ProducerConfig.TRANSACTIONAL_ID_CONFIG, "nothing: Kafka Streams makes them up");

    private static final List<String> PREFIXES = List.of(
            StreamsConfig.CONSUMER_PREFIX,
            StreamsConfig.MAIN_CONSUMER_PREFIX,
            StreamsConfig.RESTORE_CONSUMER_PREFIX,
            StreamsConfig.GLOBAL_CONSUMER_PREFIX,
            StreamsConfig.PRODUCER_PREFIX,
            StreamsConfig.ADMIN_CLIENT_PREFIX,
            StreamsConfig.TOPIC_PREFIX);

    private KafkaRules() {}

    /** What is wrong with setting this property: {@code name=value, expected=…}; empty if nothing is. */
    public static Optional<String> complaint(String property, Object value) {
        String name = withoutPrefix(property);
        String elsewhere = ELSEWHERE.get(name);
        if (elsewhere != null) {
            return Optional.of(property + "=" + value + ", expected=absent: it is set by " + elsewhere);
        }
        return GUARDED.stream()
                .filter(guarded -> guarded.name().equals(name))
                .filter(guarded -> !String.valueOf(value).equals(guarded.only()))
                .findFirst()
                .map(guarded -> property + "=" + value + ", expected=" + guarded.only() + ": " + guarded.why());
    }

    /** A property's name without the prefix that limits it to one client. */
    static String withoutPrefix(String property) {
        return PREFIXES.stream()
                .filter(property::startsWith)
                .findFirst()
                .map(prefix -> property.substring(prefix.length()))
                .orElse(property);
    }
}
