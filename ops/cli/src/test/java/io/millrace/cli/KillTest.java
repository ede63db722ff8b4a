package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.ExactlyOnceOracle;
import io.millrace.devstack.oracle.OracleTopics;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.streams.testing.ChatServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Exactly once with the real model: workers run {@code millrace process} in JVMs of their own and are killed with SIGKILL in the
 * middle of generating, twice; a third one answers.
 */
@WithKafka
class KillTest {

    private static final int PROMPTS = 12;
    private static final int PARTITIONS = 4;
    private static final int MAX_TOKENS = 96;

    /** Loading the model, restoring, and what a loaded machine makes of it. */
    private static final Duration PATIENCE = Duration.ofMinutes(4);

    private final String name = TestKafka.uniqueName("kill");

    @TempDir
    Path folder;

    @Test
    @MatrixRow("worker kill -9 mid-generation")
    void shouldAnswerEachPromptOnceAfterTwoKillsMidGeneration(TestKafka kafka) throws IOException {
        Path config = writeConfig(kafka, "");
        Verdict verdict =
                killTwiceAndAnswer(kafka, config, (worker, _) -> worker.sequencesWithATokenAtLeast(8), () -> {});
        assertThat(verdict.results())
                .allSatisfy(result ->
                        assertThat(result.getUsage().getCompletionTokens()).isEqualTo(MAX_TOKENS));
    }

    /** The server has begun to answer, and does not end until the third worker asks. */
    @Test
    @MatrixRow("worker kill -9 mid-generation")
    void shouldAnswerEachPromptOnceAfterTwoKillsWithARemoteModel(TestKafka kafka) throws Exception {
        AtomicBoolean held = new AtomicBoolean(true);
        try (ChatServer server = ChatServer.start().holding(who -> held.get())) {
            Path config = writeConfig(kafka, """
                    models:
                      served:
                        engine: remote
                        remote: { endpoints: { only: { url: "%s" } } }
                    """.formatted(server.url("worker")));
            Verdict verdict =
                    killTwiceAndAnswer(kafka, config, (_, kill) -> server.begun() >= 8 * kill, () -> held.set(false));
            assertThat(verdict.results())
                    .allSatisfy(result -> assertThat(result.getEndpoint()).isEqualTo("only"));
            assertThat(server.begun()).isGreaterThanOrEqualTo(PROMPTS + 16);
        }
    }

    /** Whether a worker is in the middle of its work, and may be killed for the first or the second time. */
    private interface MidWork {
        boolean test(ProcessWorker worker, int kill) throws Exception;
    }

    private Verdict killTwiceAndAnswer(TestKafka kafka, Path config, MidWork midWork, Runnable release)
            throws IOException {
        assertThat(Cli.run("topics", "create", "--config", config.toString()).exitCode())
                .isZero();
        kafka.produce(prompts());

        for (int kill = 1; kill <= 2; kill++) {
            String doomed = kill == 1 ? "first" : "second";
            int which = kill;
            try (var worker = ProcessWorker.start(doomed, config, folder)) {
                Awaitility.await(doomed + " worker generates:\n" + worker.log())
                        .atMost(PATIENCE)
                        .pollInterval(Duration.ofMillis(50))
                        .until(() -> midWork.test(worker, which));
                worker.kill();
            }
            assertThat(endings(kafka)).as("endings written before the kill").isZero();
        }
        release.run();
        try (var worker = ProcessWorker.start("third", config, folder)) {
            Awaitility.await("all are answered:\n" + worker.log())
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> kafka.readCommitted(name + ".results").size() >= PROMPTS);
            worker.terminate();
        }
        Verdict verdict = new ExactlyOnceOracle(kafka.reader(), name, topics(), Map.of()).check();
        verdict.assertExactlyOnce();
        assertThat(verdict.inputs()).hasSize(PROMPTS);
        assertThat(verdict.failures()).isEmpty();
        return verdict;
    }

    /** Records of any kind in the outputs' topics, those of aborted transactions too. */
    private long endings(TestKafka kafka) {
        return List.of(name + ".results", name + ".failures", name + ".dead-letters").stream()
                .flatMap(topic -> kafka.endOffsets(topic).values().stream())
                .mapToLong(Long::longValue)
                .sum();
    }

    private OracleTopics topics() {
        return new OracleTopics(
                name + ".prompts",
                name + ".results",
                name + ".failures",
                name + ".metrics",
                name + ".dead-letters",
                name + "-pending-changelog");
    }

    private List<ProducerRecord<byte[], byte[]>> prompts() {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = 0; i < PROMPTS; i++) {
            byte[] value = Json.object()
                    .put("prompt", "Tell me about the number " + i + ".")
                    .put("max_tokens", MAX_TOKENS)
                    .put("ignore_eos", true)
                    .toString()
                    .getBytes(java.nio.charset.StandardCharsets.UTF_8);
            records.add(new ProducerRecord<>(name + ".prompts", i % PARTITIONS, null, value));
        }
        return records;
    }

    private Path writeConfig(TestKafka kafka, String models) throws IOException {
        Path file = folder.resolve("millrace.yaml");
        String yaml = TestConfig.yaml(
                kafka.bootstrapServers(),
                name,
                PARTITIONS,
                "state.dir: \"" + folder.resolve("streams") + "\"",
                "main.consumer.session.timeout.ms: 6000");
        Files.writeString(file, yaml + "http: {port: \"${MILLRACE_TEST_PORT:-0}\"}\n" + models);
        return file;
    }
}
