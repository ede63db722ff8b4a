package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.schemas.EngineInterval;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.Source;
import io.millrace.schemas.Timings;
import io.millrace.schemas.serde.RecordSerdes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@WithKafka
class TopCommandTest {

    @TempDir
    Path folder;

    @Test
    void shouldShowTheLastSecondsOfTheTopicsOnce(TestKafka kafka) throws IOException {
        String name = TestKafka.uniqueName("top");
        String config = config(kafka, name);
        assertThat(Cli.run("topics", "create", "--config", config).exitCode()).isZero();
        Instant now = Instant.now();
        kafka.produce(List.of(
                interval(name, now.minusSeconds(3), 900), // a record of long ago, by its timestamp
                interval(name, now.minusSeconds(2), 10),
                interval(name, now.minusSeconds(1), 20),
                answer(name, now.minusSeconds(30)),
                failure(name, now.minusSeconds(30)),
                new ProducerRecord<>(name + ".failures", null, null, "not a record".getBytes(StandardCharsets.UTF_8))));

        Cli once = Cli.run("top", "--once", "--window", "60", "--json", "--config", config);

        assertThat(once.exitCode()).as(once.err()).isZero();
        JsonNode json = new ObjectMapper().readTree(once.out());
        assertThat(json.at("/engines")).hasSize(1);
        assertThat(json.at("/engines/0/instance").asText()).isEqualTo("host-1");
        assertThat(json.at("/engines/0/generation_tokens_per_second").asDouble())
                .isEqualTo(15);
        assertThat(json.at("/engines/0/gate_closures").toString()).isEqualTo("[\"FULL\"]");
        assertThat(json.at("/unreadable_records").asInt()).isEqualTo(1);
        assertThat(json.at("/window_seconds").asDouble()).isEqualTo(60);
        assertThat(json.at("/e2e_latency_p50_ms").asDouble()).isEqualTo(1234);
        assertThat(json.at("/failures").toString()).isEqualTo("{\"ENGINE_ERROR\":1}");

        Cli screen = Cli.run("top", "--once", "--config", config);
        assertThat(screen.outLines()).first().asString().startsWith("millrace top: 1 instance, last 10 s");
        assertThat(screen.out()).contains("host-1", "FULL", "Failures: none").doesNotContain("\u001B");
    }

    /** Who reads goes away after the first lines, as {@code head} does. */
    @Test
    @Timeout(60)
    void shouldPrintPlainLinesWhenPipedUntilNobodyReads(TestKafka kafka) throws IOException {
        String name = TestKafka.uniqueName("piped");
        String config = config(kafka, name);
        assertThat(Cli.run("topics", "create", "--config", config).exitCode()).isZero();
        kafka.produce(List.of(interval(name, Instant.now().minusSeconds(1), 10)));
        var read = new ByteArrayOutputStream();

        int code = Main.run(readUntil(2, read), "top", "--window", "3600", "--config", config);

        assertThat(code).isZero();
        assertThat(read.toString(StandardCharsets.UTF_8)).startsWith("TIME ").doesNotContain("\u001B");
    }

    /** Whenever it is asked, a second has passed: it is asked when a view is made, and between polls. */
    @Test
    @Timeout(60)
    void shouldLetTheIntervalPassBetweenTwoViews(TestKafka kafka) throws IOException {
        String config = config(kafka, TestKafka.uniqueName("interval"));
        assertThat(Cli.run("topics", "create", "--config", config).exitCode()).isZero();
        var options = new GlobalOptions();
        options.config = Path.of(config);
        var read = new ByteArrayOutputStream();
        var seconds = new AtomicLong(1_000_000_000);
        var top = new TopCommand(
                new Session(readUntil(3, read), options), () -> Instant.ofEpochSecond(seconds.incrementAndGet()));

        int code = new CommandLine(top).execute("--json", "--interval", "3");

        assertThat(code).isZero();
        List<Instant> views = new ArrayList<>();
        for (String line : read.toString(StandardCharsets.UTF_8).lines().toList()) {
            views.add(Instant.parse(new ObjectMapper().readTree(line).at("/at").asText()));
        }
        assertThat(views).hasSize(3);
        assertThat(Duration.between(views.get(0), views.get(1))).isEqualTo(Duration.ofSeconds(3));
        assertThat(Duration.between(views.get(1), views.get(2))).isEqualTo(Duration.ofSeconds(3));
    }

    /** Whoever reads goes away after these lines. */
    private static Terminal readUntil(int lines, ByteArrayOutputStream read) {
        OutputStream pipe = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                if (read.toString(StandardCharsets.UTF_8).split("\n", -1).length > lines) {
                    throw new IOException("Broken pipe");
                }
                read.write(b);
            }
        };
        return new Terminal(
                InputStream.nullInputStream(),
                new PrintStream(pipe, false, StandardCharsets.UTF_8),
                System.err,
                OptionalInt.empty(),
                OptionalInt.empty());
    }

    @Test
    void shouldSayWhatIsWrongWithTimesAndTopics(TestKafka kafka) throws IOException {
        String config = config(kafka, TestKafka.uniqueName("none"));

        Cli interval = Cli.run("top", "--interval", "0", "--config", config);
        assertThat(interval.exitCode()).isEqualTo(ExitCode.USAGE.value);
        assertThat(interval.errLines()).containsExactly("millrace: --interval=0, expected=1 to 3600 seconds");
        Cli window = Cli.run("top", "--window", "3601", "--config", config);
        assertThat(window.errLines()).containsExactly("millrace: --window=3601, expected=1 to 3600 seconds");

        Cli topics = Cli.run("top", "--once", "--config", config);
        assertThat(topics.exitCode()).isEqualTo(ExitCode.KAFKA.value);
        assertThat(topics.errLines())
                .singleElement()
                .asString()
                .endsWith("expected=topics that exist; 'millrace topics create' makes them");
    }

    private static ProducerRecord<byte[], byte[]> interval(String name, Instant start, long tokens) {
        EngineInterval interval = EngineInterval.newBuilder()
                .setInstance("host-1")
                .setModel("smollm2")
                .setStartedAt(start)
                .setDurationMs(1000)
                .setSteps(5)
                .setPromptTokens(0)
                .setGenerationTokens(tokens)
                .setBatchSizeMean(2)
                .setBatchTokensMean(2)
                .setBusyFraction(1)
                .setRequestsRunning(2)
                .setRequestsWaiting(0)
                .setRequestsPending(2)
                .setKvCacheUsagePerc(0)
                .setPreemptions(0)
                .setGateClosures(List.of("FULL"))
                .build();
        String topic = name + ".engine-metrics";
        byte[] value = RecordSerdes.serializer(EngineInterval.class, Map.of()).serialize(topic, interval);
        Long timestamp = tokens == 900 ? start.minusSeconds(3600).toEpochMilli() : start.toEpochMilli();
        return new ProducerRecord<>(topic, 0, timestamp, "host-1".getBytes(StandardCharsets.UTF_8), value);
    }

    private static ProducerRecord<byte[], byte[]> answer(String name, Instant at) {
        return record(
                name + ".metrics",
                InferenceMetrics.class,
                InferenceMetrics.newBuilder()
                        .setRequestId("r")
                        .setInstance("host-1")
                        .setModel("smollm2")
                        .setOutcome("stop")
                        .setTimings(new Timings(0.0, 0.0, 0.0, 5.0, 1234.0))
                        .setCompletedAt(at)
                        .setSource(new Source("prompts", 0, 1L, at))
                        .build());
    }

    private static ProducerRecord<byte[], byte[]> failure(String name, Instant at) {
        return record(
                name + ".failures",
                InferenceFailure.class,
                InferenceFailure.newBuilder()
                        .setRequestId("r")
                        .setCode(FailureCode.ENGINE_ERROR)
                        .setMessage("m")
                        .setRetriable(false)
                        .setFailedAt(at)
                        .setSource(new Source("prompts", 0, 1L, at))
                        .build());
    }

    private static <T extends SpecificRecord> ProducerRecord<byte[], byte[]> record(
            String topic, Class<T> type, T value) {
        return new ProducerRecord<>(
                topic, RecordSerdes.serializer(type, Map.of()).serialize(topic, value));
    }

    private String config(TestKafka kafka, String name) throws IOException {
        Path file = folder.resolve(name + ".yaml");
        Files.writeString(file, TestConfig.yaml(kafka.bootstrapServers(), name, 3));
        return file.toString();
    }
}
