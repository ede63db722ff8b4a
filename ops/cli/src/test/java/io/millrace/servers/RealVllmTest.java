package io.millrace.servers;

import static io.millrace.servers.AskedEngine.completed;
import static io.millrace.servers.AskedEngine.failed;
import static io.millrace.servers.AskedEngine.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.devstack.ModelServer;
import io.millrace.devstack.ServerMetrics;
import io.millrace.devstack.VllmOptions;
import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.RemoteEngine;
import io.millrace.remote.RemoteOptions;
import io.millrace.remote.SlackCurve;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** vLLM, on this machine's processors. */
class RealVllmTest extends RealServerContract {

    private Path safetensors = Path.of("");

    @Override
    ModelServer start(Path model) throws IOException, InterruptedException {
        Optional<Path> python = VllmOptions.find();
        Assumptions.assumeTrue(
                python.isPresent(), "no vLLM: ops/servers/install-vllm.sh installs it, make test-servers too");
        safetensors = VllmOptions.convert(python.orElseThrow(), model, folder.resolve("safetensors"));
        return ModelServer.start(options("server.log"));
    }

    @Override
    ModelServer startEmbedder() throws InterruptedException {
        return ModelServer.start(options("embeddings.log").with("--runner", "pooling", "--convert", "embed"));
    }

    private VllmOptions options(String log) {
        return VllmOptions.of(VllmOptions.find().orElseThrow(), safetensors, folder.resolve(log));
    }

    @Override
    List<String> held() {
        return List.of(ServerMetrics.Kind.VLLM.name(), safetensors.toString());
    }

    /** Log probabilities tell which tokens they are of. */
    @Override
    Map<String, Object> extraBody() {
        return Map.of("return_tokens_as_token_ids", true);
    }

    @Override
    String wrongBody() {
        return "{\"structured_outputs\": {\"regex\": \"[0-9\"}}";
    }

    @Test
    void shouldPassOnWhatOnlyVllmKnows() {
        Completed answer = completed(submit(new InferenceRequest(
                "choice",
                Operation.CHAT,
                new Input.Text("Is water wet?"),
                greedy(8),
                Optional.of("{\"structured_outputs\": {\"choice\": [\"perhaps so\", \"who knows\"]}}"),
                1,
                0,
                "",
                Optional.empty(),
                System.nanoTime())));

        assertThat(text(answer)).isIn("perhaps so", "who knows");
    }

    @Test
    void shouldSayThatSoManyTokensNeverFit() {
        assertThat(failed(generate("Hello", greedy(SLOT_TOKENS + 100))).code())
                .isEqualTo(FailureCode.CONTEXT_LENGTH_EXCEEDED);
    }

    @Test
    void shouldKeepOutOfTheWayOfUsersByTheServersOwnCount() throws IOException, InterruptedException {
        SamplingParameters endless =
                greedy(SLOT_TOKENS - 50).toBuilder().ignoreEos(true).build();
        List<CompletableFuture<Completion>> users = IntStream.range(0, SLOTS)
                .mapToObj(
                        i -> submit(request("user-" + i, Operation.GENERATE, new Input.Text("A user, " + i), endless)))
                .toList();
        eventually(() -> assertThat(server.load().processing()).isEqualTo(SLOTS));
        var slack = new RemoteOptions.Slack(
                Optional.empty(),
                new RemoteOptions.Metric("vllm:num_requests_running"),
                Duration.ofMillis(100),
                Duration.ofSeconds(30),
                new SlackCurve(List.of(new SlackCurve.Point(0, 1), new SlackCurve.Point(SLOTS, 0))));
        RemoteOptions options = RemoteOptions.builder("smollm2")
                .endpoints(List.of(RemoteOptions.Server.of("real", server.url())))
                .slack(slack)
                .build();
        try (RemoteEngine bulk = RemoteEngine.open("bulk", options)) {
            var answer = new CompletableFuture<Completion>();
            InferenceRequest later = request("bulk", Operation.GENERATE, new Input.Text("Later"), greedy(4));
            eventually(() -> assertThat(bulk.submit(later, answer::complete))
                    .hasValueSatisfying(why -> assertThat(why.message())
                            .contains("vllm:num_requests_running", "=4.0 leaves 0.00 of the budgets")));
            assertThat(users).noneMatch(CompletableFuture::isDone);

            IntStream.range(0, SLOTS).forEach(i -> engine.cancel("user-" + i));

            eventually(() -> assertThat(bulk.submit(later, answer::complete)).isEmpty());
            assertThat(completed(answer).usage().completionTokens()).isEqualTo(4);
        }
    }
}
