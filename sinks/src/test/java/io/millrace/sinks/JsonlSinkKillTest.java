package io.millrace.sinks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sink in a JVM of its own is killed with SIGKILL while it writes, again and again. */
@WithKafka
class JsonlSinkKillTest {
    private static final long SEED = 20261124;
    private static final int KILLS = 5;
    private static final int RECORDS = 16_000;

    @TempDir
    Path temporary;

    @Test
    void shouldWriteEachRecordOnceThoughKilledWhileWriting(TestKafka kafka) throws Exception {
        Random random = new Random(SEED);
        String topic = kafka.uniqueTopic("results", 4);
        produce(kafka, topic);
        Path directory = temporary.resolve("out");
        int killedWhileWriting = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            Process sink = start(kafka, topic, directory);
            long before = bytes(directory);
            Awaitility.await("the sink writes")
                    .atMost(TestKafka.TIMEOUT)
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> bytes(directory) > before || !sink.isAlive());
            if (!sink.waitFor(random.nextInt(60), TimeUnit.MILLISECONDS)) {
                killedWhileWriting++;
            }
            sink.destroyForcibly();
            assertThat(sink.waitFor(60, TimeUnit.SECONDS)).isTrue();
            SinkFiles.finishedLines(directory); // whole at any time
        }
        assertThat(killedWhileWriting).as("seed=" + SEED).isGreaterThanOrEqualTo(3);

        Process last = start(kafka, topic, directory);
        assertThat(last.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(last.exitValue()).isZero();
        assertThat(SinkFiles.finishedLines(directory))
                .extracting(line -> line.get("value").get("n").asInt())
                .hasSize(RECORDS)
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, RECORDS).boxed().toList());
    }

    private Process start(TestKafka kafka, String topic, Path directory) throws IOException {
        return new ProcessBuilder(
                        System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                        "-Xmx128m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        SinkMain.class.getName(),
                        kafka.bootstrapServers(),
                        topic,
                        directory.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        temporary.resolve("sink.log").toFile()))
                .start();
    }

    /** The process that is killed: small files and small polls, so that a kill meets each kind of step. */
    static final class SinkMain {
        private SinkMain() {}

        public static void main(String[] args) {
            JsonlSinkOptions options = JsonlSinkOptions.of(
                            Path.of(args[2]),
                            List.of(args[1]),
                            Map.of("bootstrap.servers", args[0], "max.poll.records", "20"))
                    .withMaxBytes(4096)
                    .withEnd(JsonlSinkOptions.End.UNTIL_END);
            try (JsonlSink sink = JsonlSink.open(options, ValueToJson.json())) {
                sink.run();
            }
        }
    }

    private static void produce(TestKafka kafka, String topic) {
        kafka.produce(IntStream.range(0, RECORDS)
                .mapToObj(n -> new ProducerRecord<>(topic, n % 4, bytes("k" + n), bytes("{\"n\":" + n + "}")))
                .toList());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static long bytes(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return 0;
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().contains(".jsonl"))
                    .mapToLong(file -> file.toFile().length()) // 0 for one that was renamed meanwhile
                    .sum();
        }
    }
}
