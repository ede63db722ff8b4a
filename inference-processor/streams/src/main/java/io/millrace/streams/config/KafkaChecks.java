package io.millrace.streams.config;

import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.StreamsConfig;

/**
 * What stands under {@code kafka:}. What breaks {@link KafkaRules} is an error. A name that no client knows is a warning: Kafka
 * ignores it in silence, and interceptors and serializers may have names of their own.
 */
final class KafkaChecks {
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
        String name = KafkaRules.withoutPrefix(property);
        Optional<String> complaint = KafkaRules.complaint(property, value);
        if (complaint.isPresent()) {
            problems.error(place, complaint.get());
        } else if (!isKnown(name)) {
            problems.warning(
                    place, "no client of Kafka knows the property '" + property + "'" + Suggestion.among(KNOWN, name));
        }
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
