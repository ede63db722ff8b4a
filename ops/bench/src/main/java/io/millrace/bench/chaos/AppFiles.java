package io.millrace.bench.chaos;

import io.millrace.devstack.oracle.OracleTopics;
import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.app.Topics;
import io.millrace.streams.config.ConfigException;
import io.millrace.streams.config.MillraceConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.clients.admin.Admin;

/** The application under test: its names, its topics, its workers' configuration. */
final class AppFiles {

    static final String APPLICATION = "chaos";
    static final String PROMPTS = "chaos.prompts";
    static final String METRICS = "chaos.metrics";
    static final String DEAD_LETTERS = "chaos.dead-letters";
    static final String CHANGELOG = "chaos-pending-changelog";

    /** Environment variables that differ between workers. */
    static final String NAME_VARIABLE = "MILLRACE_WORKER";

    static final String PORT_VARIABLE = "MILLRACE_WORKER_PORT";

    private static final String RESULTS = "chaos.results";
    private static final String FAILURES = "chaos.failures";
    private static final String ENGINE_METRICS = "chaos.engine-metrics";
    private static final String CONTROL = "chaos.control";

    private AppFiles() {}

    static OracleTopics topics() {
        return new OracleTopics(PROMPTS, RESULTS, FAILURES, METRICS, DEAD_LETTERS, CHANGELOG);
    }

    /** Topics whose leader a partition's work goes through. */
    static List<String> followed() {
        return List.of(PROMPTS, RESULTS, CHANGELOG);
    }

    /** Creates the topics that the configuration names. */
    static void createTopics(Admin admin, Path config, int partitions, int replicationFactor) {
        try {
            ProcessorSettings settings = ProcessorSettings.of(MillraceConfig.load(config));
            Topics.create(admin, settings, new Topics.Shape(partitions, (short) replicationFactor));
        } catch (ConfigException e) {
            throw new IllegalStateException("our own configuration", e);
        }
    }

    /** Small models and short prompts: room for 16 sequences of 256 tokens is more than enough. */
    static void writeConfig(Path file, String bootstrapServers, int replicationFactor, Path model, Path states)
            throws IOException {
        Files.writeString(file, """
                application_id: %1$s
                instance: ${%2$s:-bench}
                kafka:
                  bootstrap.servers: "%3$s"
                  client.id: ${%2$s:-bench}
                  state.dir: "%4$s/${%2$s:-bench}"
                  main.consumer.session.timeout.ms: 6000
                  main.consumer.heartbeat.interval.ms: 1000
                  producer.transaction.timeout.ms: 10000
                topics:
                  prompts: %5$s
                  results: %6$s
                  failures: %7$s
                  metrics: %8$s
                  dead_letters: %9$s
                  engine_metrics: %10$s
                  control: %11$s
                  replication_factor: %12$d
                models:
                  bench:
                    source: "file:%13$s"
                    threads: 1
                    max_num_seqs: 16
                    max_model_len: 256
                    kv_cache_memory: 64MiB
                http:
                  port: ${%14$s:-0}
                """.formatted(
                        APPLICATION,
                        NAME_VARIABLE,
                        bootstrapServers,
                        states,
                        PROMPTS,
                        RESULTS,
                        FAILURES,
                        METRICS,
                        DEAD_LETTERS,
                        ENGINE_METRICS,
                        CONTROL,
                        replicationFactor,
                        model.toAbsolutePath(),
                        PORT_VARIABLE));
    }
}
