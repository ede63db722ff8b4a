package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.devstack.LlamaServerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bench on a tiny workload: that all of it runs and each prompt is answered once, not what it measures. */
class BenchRemoteTest {

    @TempDir
    Path folder;

    @Test
    @Tag("servers")
    void shouldReportWhatItMeasuredOfAnswersThatAllCameOnce() throws IOException {
        Assumptions.assumeTrue(LlamaServerOptions.find().isPresent(), "no llama-server: make test-servers builds it");

        Cli cli = Cli.run("bench", "remote", "--quick", "--out", folder.toString());

        assertReported(cli, "| 1 | Millrace |");
    }

    @Test
    void shouldMeasureAServerThatRunsAlreadyAndAsksForAKey() throws IOException {
        Path key = Files.writeString(folder.resolve("key"), CompletionsServer.KEY + "\n");
        try (CompletionsServer server = CompletionsServer.start()) {
            Cli cli = measure(server, "--server-api-key", "file:" + key);

            assertReported(cli, "| Millrace |");
            assertThat(cli.out()).contains("llama_cpp at " + server.url());
            assertThat(server.wholes()).as("answers in one piece").isPositive();
            // clients' and Millrace's, each with all prompts
            assertThat(server.streams()).as("answers in a stream").isGreaterThanOrEqualTo(2 * 8);
        }
    }

    @Test
    void shouldSayWhichAnswerWasCutOff() throws IOException {
        // Millrace's own 8 to warm up come first, then streaming clients
        try (CompletionsServer server = CompletionsServer.start().cuttingStreamsOffAfter(8)) {
            Path key = Files.writeString(folder.resolve("key"), CompletionsServer.KEY);
            Cli cli = measure(server, "--server-api-key", "file:" + key);

            assertThat(cli.exitCode()).isEqualTo(ExitCode.INPUT.value);
            assertThat(cli.errLines()).last().asString().startsWith("millrace: no figures: prompt ");
            assertThat(cli.err()).doesNotContain("Exception in thread");
            assertThat(cli.out()).isEmpty();
        }
    }

    @Test
    void shouldSayThatTheServerAsksForAnotherKey() throws IOException {
        try (CompletionsServer server = CompletionsServer.start()) {
            Cli cli = measure(server);

            assertThat(cli.exitCode()).isEqualTo(ExitCode.INPUT.value);
            assertThat(cli.errLines()).last().asString().contains("/metrics: status=401, expected=200");
        }
    }

    private Cli measure(CompletionsServer server, String... more) {
        List<String> line = new ArrayList<>(List.of(
                "bench", "remote", "--quick", "--server-url", server.url().toString(), "--server-model", "m"));
        line.addAll(List.of("--prompts", "8", "--answer-tokens", "2,6", "--users-per-second", "20", "--warm-up", "1"));
        line.addAll(List.of("--out", folder.toString()));
        line.addAll(List.of(more));
        return Cli.run(line.toArray(String[]::new));
    }

    private void assertReported(Cli cli, String row) throws IOException {
        assertThat(cli.exitCode()).as(cli.err()).isZero();
        assertThat(cli.out()).contains("## Throughput: 8 prompts", row, "behind the slack gate");
        JsonNode json =
                new ObjectMapper().readTree(folder.resolve("remote.json").toFile());
        for (String figure : new String[] {
            "/throughput/0/ratio/median",
            "/throughput/0/direct/tokens_per_second/median",
            "/live/alone/latency/p99",
            "/live/slack/bulk_per_second/median"
        }) {
            assertThat(json.at(figure).asDouble()).as(figure).isPositive();
        }
        assertThat(json.at("/throughput/0/answers").asInt()).isEqualTo(8);
        assertThat(json.at("/throughput/0/same_answers").asInt()).isEqualTo(8);
        assertThat(folder.resolve("remote.png")).isNotEmptyFile();
    }

    @Test
    void shouldRefuseToMeasureNothing() {
        Cli rounds = Cli.run("bench", "remote", "--quick", "--rounds", "0");
        assertThat(rounds.exitCode()).isEqualTo(ExitCode.USAGE.value);
        assertThat(rounds.err()).contains("rounds=0, expected=at least 1");

        Cli threads = Cli.run("bench", "remote", "--quick", "--server-threads", "1,0");
        assertThat(threads.exitCode()).isEqualTo(ExitCode.USAGE.value);
        assertThat(threads.err()).contains("server_threads=[1, 0], expected=numbers of 1 or more");
    }

    @Test
    void shouldSayWhatIsWrongWithAServerThatRunsAlready() {
        assertThat(running("--server-url", "gpu-1:8000/v1").err())
                .contains("server_url=gpu-1:8000/v1, expected=http://host:port/v1");
        assertThat(running("--server-url", "http://127.0.0.1:1/v1", "--answer-tokens", "8")
                        .err())
                .contains("answer_tokens=[8], expected=two numbers, such as 8,40");
        assertThat(running("--server-url", "http://127.0.0.1:1/v1", "--answer-tokens", "9,8")
                        .err())
                .contains("most_tokens=8, expected=at least least_tokens=9");
        assertThat(running("--server-url", "http://127.0.0.1:1/v1", "--server-slots", "0")
                        .err())
                .contains("slots=0, expected=at least 1");
        Cli key = running("--server-url", "http://127.0.0.1:1/v1", "--server-api-key", "sk-secret");
        assertThat(key.err())
                .contains("server_api_key=(not shown), expected=env:NAME or file:/path")
                .doesNotContain("sk-secret");
    }

    @Test
    void shouldNotPassOverThreadsOfAServerThatRunsAlready() {
        assertThat(running("--server-url", "http://127.0.0.1:1/v1", "--server-threads", "2")
                        .err())
                .contains("server_threads=[2], expected=none beside --server-url");
    }

    private static Cli running(String... more) {
        List<String> line = new ArrayList<>(List.of("bench", "remote", "--quick", "--server-model", "m"));
        line.addAll(List.of(more));
        Cli cli = Cli.run(line.toArray(String[]::new));
        assertThat(cli.exitCode()).isEqualTo(ExitCode.USAGE.value);
        return cli;
    }
}
