package io.millrace.streams.config;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The configuration of an instance, complete: defaults are filled in. The empty file is a valid configuration.
 *
 * @param applicationId Kafka's consumer group, and the prefix of the topics that Kafka Streams makes
 * @param instance this instance's name in records and metrics
 * @param kafka passed to Kafka
 * @param topics the topics' names
 * @param models by name, in the file's order; at least one
 * @param defaultModel name of the model for prompts that name none; one of {@code models}
 * @param processor the topology's bounds
 * @param http health and metrics over HTTP
 * @param metrics bounds of the metrics
 */
public record MillraceConfig(
        String applicationId,
        String instance,
        KafkaSettings kafka,
        TopicSettings topics,
        Map<String, ModelSettings> models,
        String defaultModel,
        TopologySettings processor,
        HttpSettings http,
        MetricsSettings metrics) {

    private static final Logger LOG = LoggerFactory.getLogger(MillraceConfig.class);

    /** Reads a file, and logs its warnings. */
    public static MillraceConfig load(Path file) throws ConfigException {
        ConfigReport report = ConfigReport.ofFile(file, System.getenv());
        MillraceConfig config = report.orThrow();
        report.problems().forEach(warning -> LOG.warn("{}", warning));
        return config;
    }

    /** Reads a text; {@code name} stands for the file in messages. */
    public static MillraceConfig parse(String name, String yaml) throws ConfigException {
        return ConfigReport.ofText(name, yaml, System.getenv()).orThrow();
    }

    /** What the empty file says. */
    public static MillraceConfig defaults() {
        try {
            return parse("defaults", "");
        } catch (ConfigException e) {
            throw new AssertionError("the empty file is valid", e);
        }
    }

    /** The model of that name. */
    public Optional<ModelSettings> model(String name) {
        return Optional.ofNullable(models.get(name));
    }
}
