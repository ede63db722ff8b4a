package io.millrace.schemas.serde;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.kafka.common.config.types.Password;

/** Confluent's configuration keys. */
final class RegistryConfig {

    /** Comma-separated registry URLs, or {@code mock://scope}. */
    static final String URL = "schema.registry.url";

    private RegistryConfig() {}

    /** A configuration value as text; lists are joined by commas; empty where it is not set or blank. */
    static Optional<String> text(Map<String, ?> config, String key) {
        Object value = config.get(key);
        String text = switch (value) {
            case null -> "";
            case Password password -> password.value();
            case Collection<?> list -> list.stream().map(String::valueOf).collect(Collectors.joining(","));
            default -> value.toString();
        };
        return text.isBlank() ? Optional.empty() : Optional.of(text.strip());
    }
}
