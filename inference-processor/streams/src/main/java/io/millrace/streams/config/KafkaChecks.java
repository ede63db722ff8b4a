package io.millrace.streams.config;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.StreamsConfig;

/**
 * What stands under {@code kafka:}. What would break exactly-once, or is set by a key of ours, is an error. A name that no
 * client knows is a warning: Kafka ignores it in silence, and interceptors and serializers may have names of their own.
 */
final class KafkaChecks {
    private static final List<String> PREFIXES = List.of(
            "main.consumer.", "restore.consumer.", "global.consumer.", "consumer.", "producer.", "admin.", "topic.");

    /** Set by a key of ours. */
    private static final Map<String, String> OURS = Map.of(
            StreamsConfig.APPLICATION_ID_CONFIG, "application_id",
            ConsumerConfig.GROUP_ID_CONFIG, "application_id",
            StreamsConfig.NUM_STREAM_THREADS_CONFIG, "processor.num_stream_threads");

    /** Exactly-once rests on it. */
    private static final Map<String, String> ONLY = Map.of(
            StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2,
            StreamsConfig.GROUP_PROTOCOL_CONFIG, "classic",
            ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false",
            ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true",
            ProducerConfig.ACKS_CONFIG, "all",
            StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, "0");

    private static final Set<String> REGISTRY = Set.of(
            "schema.registry.url",
            "basic.auth.credentials.source",
            "basic.auth.user.info",
            "bearer.auth.credentials.source",
            "bearer.auth.token",
            "auto.register.schemas",
            "use.latest.version",
            "normalize.schemas",
            "value.subject.name.strategy",
            "value.format");

    private static final Pattern REGISTRY_TLS =
            Pattern.compile("schema\\.registry\\.(ssl\\..+|basic\\.auth\\..+|.*timeout.*)");

    private static final Set<String> TOPIC = Set.of(
            TopicConfig.CLEANUP_POLICY_CONFIG,
            TopicConfig.COMPRESSION_TYPE_CONFIG,
            TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
            TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG,
            TopicConfig.RETENTION_BYTES_CONFIG,
            TopicConfig.RETENTION_MS_CONFIG,
            TopicConfig.SEGMENT_BYTES_CONFIG,
            TopicConfig.SEGMENT_MS_CONFIG);

    private static final Set<String> KNOWN = known();

    private KafkaChecks() {}

    static void check(String property, String value, Place place, Problems problems) {
        String name = withoutPrefix(property);
        if (OURS.containsKey(name)) {
            problems.error(place, property + " is set by '" + OURS.get(name) + "', expected=that key instead");
        } else if (ONLY.containsKey(name) && !value.toLowerCase(Locale.ROOT).equals(ONLY.get(name))) {
            problems.error(
                    place, property + "=" + value + ", expected=" + ONLY.get(name) + ": exactly-once rests on it");
        } else if (name.equals(ProducerConfig.TRANSACTIONAL_ID_CONFIG)) {
            problems.error(place, property + " is set by Kafka Streams, expected=no such property");
        } else if (!isKnown(name)) {
            problems.warning(
                    place, "no client of Kafka knows the property '" + property + "'" + Suggestion.among(KNOWN, name));
        }
    }

    private static String withoutPrefix(String property) {
        return PREFIXES.stream()
                .filter(property::startsWith)
                .findFirst()
                .map(prefix -> property.substring(prefix.length()))
                .orElse(property);
    }

    private static boolean isKnown(String name) {
        return KNOWN.contains(name)
                || REGISTRY_TLS.matcher(name).matches()
                || name.startsWith("listener.name.")
                || name.startsWith("config.providers.");
    }

    private static Set<String> known() {
        Set<String> names = new TreeSet<>(REGISTRY);
        names.addAll(StreamsConfig.configDef().names());
        names.addAll(ConsumerConfig.configNames());
        names.addAll(ProducerConfig.configNames());
        names.addAll(AdminClientConfig.configNames());
        names.addAll(TOPIC);
        return names;
    }
}
