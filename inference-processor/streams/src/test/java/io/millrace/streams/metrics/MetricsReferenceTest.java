package io.millrace.streams.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.remote.RemoteEngine;
import io.millrace.remote.RemoteOptions;
import io.millrace.schemas.ControlAction;
import io.millrace.streams.app.ProcessorStatus;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.records.Outcome;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Run with {@code -Dmillrace.regenerate=true} to write the list of metrics anew. */
class MetricsReferenceTest {
    private static final Path FILE = repository().resolve("ops/prometheus/README.md");
    private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"");

    private static final String HEAD = """
            # Metrics

            `millrace process` serves them at `/metrics` in Prometheus' text format. Names and histogram buckets are vLLM's with our prefix where vLLM has
            the thing, so that dashboards made for it fit after a rename. This list is generated, and a test holds it to the code.

            - Label `model_name` has the models that are served, and `unknown` for prompts that ask for another or cannot be read.
            - Label `tenant` has at most `metrics.max_tenants` values, first come first served; later ones count under `other`, prompts without a tenant under `none`.
            - A prompt is counted when its result or failure is forwarded. Should that transaction be aborted, it is counted again with the next one.
            - `millrace_remote_*` are those of models with `engine: remote`, by `endpoint`.
            - Beside these there are the JVM's and the process's own (`jvm_*`, `process_*`, `system_*`) and Kafka's (`kafka_stream_*`,
              `kafka_consumer_*`, `kafka_producer_*`). The backlog is `kafka_consumer_fetch_manager_records_lag`.

            | metric | type | labels | what it is |
            | --- | --- | --- | --- |
            """;

    /** Nothing is asked of it. */
    private static final RemoteOptions SERVER = RemoteOptions.builder("m")
            .endpoints(List.of(RemoteOptions.Server.of("a", URI.create("http://127.0.0.1:1/v1"))))
            .build();

    private record Metric(String type, String help, Set<String> labels) {}

    @Test
    void shouldHaveTheListUpToDate() throws Exception {
        String generated = HEAD
                + metrics().entrySet().stream()
                        .map(MetricsReferenceTest::row)
                        .collect(Collectors.joining("\n", "", "\n"));
        if (Boolean.getBoolean("millrace.regenerate")) {
            Files.writeString(FILE, generated);
        }
        assertThat(FILE)
                .as("write it anew with -Dtest=MetricsReferenceTest -Dmillrace.regenerate=true")
                .hasContent(generated);
    }

    private static String row(Map.Entry<String, Metric> metric) {
        Metric of = metric.getValue();
        String labels = of.labels().stream().map(label -> "`" + label + "`").collect(Collectors.joining(", "));
        return "| `" + metric.getKey() + "` | " + of.type() + " | " + labels + " | " + of.help() + " |";
    }

    private static Map<String, Metric> metrics() {
        Map<String, Metric> found = new TreeMap<>();
        String help = "";
        String name = "";
        for (String line : everything().lines().toList()) {
            String[] words = line.split(" ", 4);
            if (line.startsWith("# HELP ")) {
                help = words[3];
            } else if (line.startsWith("# TYPE ")) {
                name = words[2];
                // the largest value of late is of no use without its time
                if (name.startsWith("millrace_") && !name.endsWith("_max")) {
                    found.put(name, new Metric(words[3], help, new TreeSet<>()));
                }
            } else if (found.containsKey(name)) {
                Matcher labels = LABEL.matcher(line);
                while (labels.find()) {
                    if (!labels.group(1).equals("le")) {
                        Objects.requireNonNull(found.get(name)).labels().add(labels.group(1));
                    }
                }
            }
        }
        return found;
    }

    /** A scrape of an instance in which everything has happened once. */
    private static String everything() {
        try (PrometheusMetrics metrics = new PrometheusMetrics(List.of("m"), 1);
                RemoteEngine engine = RemoteEngine.open("m", SERVER)) {
            metrics.bind(engine);
            metrics.watch(() -> new ProcessorStatus(
                    ProcessorStatus.State.RUNNING,
                    Set.of(),
                    1,
                    1,
                    1,
                    new GateLimits(1, 1, 1),
                    Map.of("m", new EngineStats(true, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1))));
            metrics.settled(outcome("stop"));
            metrics.settled(outcome("ENGINE_ERROR"));
            metrics.rejected("m");
            metrics.commandApplied(ControlAction.CANCEL);
            metrics.commandSkipped();
            metrics.adopted("m", 1);
            metrics.gateClosed(new Closure(Closure.Reason.REGISTRY, ""));
            metrics.committed(1);
            return metrics.scrape();
        }
    }

    private static Outcome outcome(String label) {
        return new Outcome(
                List.of(),
                label,
                "m",
                "t",
                Optional.of(new Completion.Timings(1, 1, 1, 1, 1)),
                Optional.of(new Completion.Usage(1, 0, 2)));
    }

    private static Path repository() {
        return Stream.iterate(Path.of("").toAbsolutePath(), Objects::nonNull, Path::getParent)
                .filter(folder -> Files.isDirectory(folder.resolve("ops/config")))
                .findFirst()
                .orElseThrow();
    }
}
