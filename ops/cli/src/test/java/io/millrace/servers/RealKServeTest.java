package io.millrace.servers;

import static io.millrace.servers.AskedEngine.PATIENCE;
import static io.millrace.servers.AskedEngine.completed;
import static io.millrace.servers.AskedEngine.failed;
import static io.millrace.servers.AskedEngine.text;
import static io.millrace.servers.AskedEngine.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.FailureCode;
import io.millrace.engine.Operation;
import io.millrace.remote.EndpointProbe;
import io.millrace.remote.RemoteOptions;
import io.millrace.remote.RemoteOptions.OpenInference;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.protocol.OpenInferenceProtocol.Method;
import io.millrace.remote.protocol.OpenInferenceProtocol.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The remote engine before KServe's Python model server. {@code make test-servers} installs the server and runs this. */
@Tag("servers")
class RealKServeTest {

    private static final List<Integer> PLAIN = List.of(1);

    @TempDir
    static Path folder;

    private static InferenceServer server;

    @BeforeAll
    static void start() throws InterruptedException {
        Assumptions.assumeTrue(InferenceServer.Kind.KSERVE.find().isPresent(), InferenceServer.Kind.KSERVE.missing());
        server = InferenceServer.start(InferenceServer.Kind.KSERVE, folder.resolve("kserve.log"));
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            server.close();
        }
    }

    @Test
    void shouldInferNamedTensors() {
        try (var engine = AskedEngine.infer(server, "embedder", PLAIN, "UPPER")) {
            Completed answer = completed(engine.ask(Operation.GENERATE, "h\u00e9 \"\\\n \ud83d\ude00"));

            assertThat(text(answer)).isEqualTo("H\u00c9 \"\\\n \ud83d\ude00");
            assertThat(answer.model().version()).contains("7");
            assertThat(answer.endpoint()).contains("real");
        }
    }

    @ParameterizedTest
    @CsvSource({"1", "2"})
    void shouldEmbed(int dimensions) {
        try (var engine = AskedEngine.infer(server, "embedder", dimensions == 1 ? PLAIN : List.of(1, 1), "VECTOR")) {
            assertThat(vector(completed(engine.ask(Operation.EMBED, "hello"))))
                    .containsExactly(5f, 0.1f, -1.5e-10f, 3e8f);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "TEXX | VECTOR | hello | INVALID_REQUEST | expected BYTES in TEXT but got BYTES in TEXX",
                // what KServe does not look at
                "TEXT | NONE | hello | ENGINE_ERROR | outputs=[VECTOR, UPPER], expected=NONE",
                "TEXT | VECTOR | raise | ENGINE_ERROR | ValueError : the model fails",
            })
    void shouldSayWhatIsWrong(String input, String output, String prompt, FailureCode code, String message) {
        Tensors tensors = new Tensors(input, PLAIN, output);
        try (var engine = AskedEngine.of(server, "embedder", Method.INFER, tensors, options -> options)) {
            Failed failed = failed(engine.ask(Operation.EMBED, prompt));

            assertThat(failed.code()).as(failed.message()).isEqualTo(code);
            assertThat(failed.message()).contains(message);
        }
    }

    @Test
    void shouldWaitForAModelThatIsNotThere() {
        try (var engine = AskedEngine.infer(server, "nosuch", PLAIN, "VECTOR")) {
            CompletableFuture<Completion> waiting = engine.ask(Operation.EMBED, "hello");
            await().atMost(PATIENCE)
                    .until(() -> engine.engine().describe().contains("Model with name nosuch does not exist."));

            engine.engine().cancel("0");

            assertThat(failed(waiting).code()).isEqualTo(FailureCode.CANCELLED);
        }
    }

    /** KServe goes on; the README says so. */
    @Test
    void shouldEndACancelledRequestAtOnceAndLeaveTheModelToItself() throws Exception {
        Path hold = Files.createFile(folder.resolve("cancelled"));
        Path held = folder.resolve("cancelled.held");
        try (var engine = AskedEngine.infer(server, "slow", PLAIN, "UPPER")) {
            CompletableFuture<Completion> running = engine.ask(Operation.GENERATE, hold.toString());
            await().atMost(PATIENCE).until(() -> Files.exists(held));

            engine.engine().cancel("0");

            assertThat(failed(running).code()).isEqualTo(FailureCode.CANCELLED);
            assertThat(text(completed(engine.ask(Operation.GENERATE, "another"))))
                    .isEqualTo("ANOTHER");
            assertThat(held).exists();
            Files.delete(hold);
            await().atMost(PATIENCE).until(() -> !Files.exists(held));
        }
    }

    @Test
    void shouldProbe() throws Exception {
        assertThat(probe("embedder").health()).isEqualTo(EndpointProbe.Health.FINE);
        assertThat(probe("nosuch").health()).isEqualTo(EndpointProbe.Health.AWAY);
        assertThat(probe("nosuch").message()).contains("status=404: Model with name nosuch does not exist.");
    }

    private static EndpointProbe.Report probe(String model) throws InterruptedException {
        return EndpointProbe.probe(RemoteOptions.builder(model)
                        .dialect(new OpenInference(Method.INFER, Tensors.DEFAULT))
                        .endpoints(List.of(Server.of("real", server.url())))
                        .build())
                .getFirst();
    }

    @Test
    void shouldLoseNothingWhenTheServerIsKilledInTheMiddleAndComesBack() throws Exception {
        Path hold = Files.createFile(folder.resolve("hold"));
        try (var engine = AskedEngine.infer(server, "slow", PLAIN, "UPPER")) {
            List<CompletableFuture<Completion>> running = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                running.add(engine.ask(Operation.GENERATE, hold.toString()));
            }
            await().atMost(PATIENCE).until(() -> engine.engine().stats().running() > 0);

            server.kill();
            Files.delete(hold);
            server.restart();

            for (CompletableFuture<Completion> each : running) {
                assertThat(text(completed(each))).isEqualTo(hold.toString().toUpperCase(Locale.ROOT));
            }
        }
    }
}
