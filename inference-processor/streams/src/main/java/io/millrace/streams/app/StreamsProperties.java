package io.millrace.streams.app;

import io.millrace.streams.config.KafkaRules;
import io.millrace.streams.topology.RecordOrWallClockTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.StreamsConfig;

/**
 * Kafka Streams' configuration: our values, the user's on top, and those that exactly-once stands on guarded.
 */
final class StreamsProperties {

    /** How long a killed instance's transaction may hide answers, unless the user says otherwise. */
    static final long TRANSACTION_TIMEOUT_MS = 10_000;

    private static final int KAFKAS_BATCH_BYTES = 16_384;
    private static final long LEAST_BUFFER_BYTES = 32L * 1024 * 1024;

    private static final List<String> PREFIXES = List.of(
            "",
            StreamsConfig.CONSUMER_PREFIX,
            StreamsConfig.MAIN_CONSUMER_PREFIX,
            StreamsConfig.RESTORE_CONSUMER_PREFIX,
            StreamsConfig.GLOBAL_CONSUMER_PREFIX,
            StreamsConfig.PRODUCER_PREFIX,
            StreamsConfig.ADMIN_CLIENT_PREFIX);

    private StreamsProperties() {}

    /**
     * The whole configuration.
     *
     * @param process this one: members of the group bear its name, by which others see that it lives
     * @param maxRequestBytes largest record that is ever sent
     * @param leastBatchBytes the smallest {@code max.message.bytes} among the topics that are written
     * @throws IllegalArgumentException a guarded property is overridden
     */
    static Properties of(ProcessorSettings settings, UUID process, int maxRequestBytes, int leastBatchBytes) {
        checkGuarded(settings.kafka());
        Map<String, Object> all = ours(settings, maxRequestBytes, leastBatchBytes);
        settings.kafka().forEach((name, value) -> putUsers(all, name, value));
        Object name = all.getOrDefault(StreamsConfig.CLIENT_ID_CONFIG, settings.applicationId());
        all.put(StreamsConfig.CLIENT_ID_CONFIG, name + "-" + process);
        Properties properties = new Properties();
        properties.putAll(all);
        return properties;
    }

    private static Map<String, Object> ours(ProcessorSettings settings, int maxRequestBytes, int leastBatchBytes) {
        Map<String, Object> all = new HashMap<>();
        all.put(StreamsConfig.APPLICATION_ID_CONFIG, settings.applicationId());
        all.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        all.put(StreamsConfig.GROUP_PROTOCOL_CONFIG, "classic");
        all.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, settings.streamThreads());
        all.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        // the gated consumer stretches it while nothing is pending
        all.put(StreamsConfig.POLL_MS_CONFIG, 1);
        all.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 32);
        all.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        all.put(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, 0);
        // otherwise a new instance gets no task for ten minutes
        all.put(StreamsConfig.ACCEPTABLE_RECOVERY_LAG_CONFIG, Long.MAX_VALUE);
        all.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, (int) settings.replicationFactor());
        all.put(StreamsConfig.DEFAULT_TIMESTAMP_EXTRACTOR_CLASS_CONFIG, RecordOrWallClockTime.class);
        // a commit sends at once what lingers; until then an ending's records go together, in one request instead of
        // three
        all.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
        all.put(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), (int) TRANSACTION_TIMEOUT_MS);
        all.put(StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG), maxRequestBytes);
        all.put(
                StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG),
                Math.max(LEAST_BUFFER_BYTES, 2L * maxRequestBytes));
        // a batch of several records must not be larger than a topic takes either
        all.put(
                StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG),
                Math.min(KAFKAS_BATCH_BYTES, leastBatchBytes));
        all.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 64);
        all.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG), 15_000);
        all.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 10_000);
        all.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 2_000);
        return all;
    }

    /** A property without prefix replaces ours with one: the user named it, so the user's holds. */
    private static void putUsers(Map<String, Object> all, String name, Object value) {
        for (String prefix : PREFIXES) {
            all.remove(prefix + name);
        }
        all.put(name, value);
    }

    static void checkGuarded(Map<String, Object> kafka) {
        kafka.forEach((name, value) -> KafkaRules.complaint(name, value).ifPresent(complaint -> {
            throw new IllegalArgumentException("kafka." + complaint);
        }));
    }
}
