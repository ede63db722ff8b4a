package io.millrace.schemas.serde;

import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;

/** How records are written as bytes. */
public enum RecordFormat {
    /** Avro in Confluent's wire format; needs a schema registry. */
    AVRO,
    /** One line of JSON, field names as in the schema; needs nothing. */
    JSON;

    /** Configuration key that names the format: {@code avro} or {@code json}. */
    public static final String VALUE_FORMAT = "value.format";

    /**
     * The format that a configuration asks for: {@value #VALUE_FORMAT} where it is set, else {@code avro} where {@value
     * RegistryConfig#URL} is set, else {@code json}.
     *
     * @throws ConfigException if {@value #VALUE_FORMAT} is neither, or is {@code avro} without a registry
     */
    public static RecordFormat of(Map<String, ?> config) {
        boolean hasRegistry = RegistryConfig.text(config, RegistryConfig.URL).isPresent();
        String name = RegistryConfig.text(config, VALUE_FORMAT).orElse(hasRegistry ? "avro" : "json");
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "json" -> JSON;
            case "avro" -> {
                if (!hasRegistry) {
                    throw new ConfigException(
                            RegistryConfig.URL + "=absent, expected=a registry's URL, as " + VALUE_FORMAT + " is avro");
                }
                yield AVRO;
            }
            default -> throw new ConfigException(VALUE_FORMAT + "=\"" + name + "\", expected=avro or json");
        };
    }
}
