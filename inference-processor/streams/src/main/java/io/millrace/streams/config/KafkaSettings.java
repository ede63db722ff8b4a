package io.millrace.streams.config;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Properties for Kafka's clients, Kafka Streams and the schema registry's client, by their own names.
 *
 * @param properties in the file's order; always with {@code bootstrap.servers}
 */
public record KafkaSettings(Map<String, String> properties) {

    /** Kafka's name for where to connect. */
    public static final String BOOTSTRAP_SERVERS = "bootstrap.servers";

    static final String DEFAULT_BOOTSTRAP_SERVERS = "localhost:9092";

    private static final Pattern SECRET = Pattern.compile(
            "password|secret|jaas|token|user\\.info|credential|ssl\\.(keystore|truststore)\\.(key|certificate)");

    public KafkaSettings {
        Map<String, String> copy = new LinkedHashMap<>();
        copy.put(BOOTSTRAP_SERVERS, DEFAULT_BOOTSTRAP_SERVERS);
        copy.putAll(properties);
        properties = Collections.unmodifiableMap(copy);
    }

    /** The brokers to connect to. */
    public String bootstrapServers() {
        return properties.getOrDefault(BOOTSTRAP_SERVERS, DEFAULT_BOOTSTRAP_SERVERS);
    }

    /** Names and values, secrets hidden. */
    @Override
    public String toString() {
        Map<String, String> shown = new LinkedHashMap<>(properties);
        shown.replaceAll((name, value) -> isSecret(name) ? "[hidden]" : value);
        return "KafkaSettings" + shown;
    }

    static boolean isSecret(String name) {
        return SECRET.matcher(name.toLowerCase(Locale.ROOT)).find();
    }
}
