package io.millrace.servers;

import static io.millrace.servers.AskedEngine.PATIENCE;
import static io.millrace.servers.AskedEngine.completed;
import static io.millrace.servers.AskedEngine.failed;
import static io.millrace.servers.AskedEngine.text;
import static io.millrace.servers.AskedEngine.vector;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.Completion.Usage;
import io.millrace.engine.FailureCode;
import io.millrace.engine.Operation;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.EndpointProbe;
import io.millrace.remote.RemoteOptions;
import io.millrace.remote.RemoteOptions.OpenInference;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.RemoteOptions.Slack;
import io.millrace.remote.SlackCurve;
import io.millrace.remote.protocol.OpenInferenceProtocol.Method;
import io.millrace.remote.protocol.OpenInferenceProtocol.Tensors;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The remote engine before NVIDIA's Triton. {@code make test-servers} installs the server and runs this. */
@Tag("servers")
class RealTritonTest {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final List<Integer> BATCHED = List.of(1, 1);
    private static final List<Integer> PLAIN = List.of(1);

    /** What a user of the vLLM backend asks for, to get the usage and no prompt before the answer. */
    private static final Map<String, Object> VLLM = Map.of(
            "exclude_input_in_output", true,
            "return_finish_reason", true,
            "return_num_input_tokens", true,
            "return_num_output_tokens", true);

    @TempDir
    static Path folder;

    private static InferenceServer server;

    @BeforeAll
    static void start() throws InterruptedException {
        Assumptions.assumeTrue(InferenceServer.Kind.TRITON.find().isPresent(), InferenceServer.Kind.TRITON.missing());
        server = InferenceServer.start(InferenceServer.Kind.TRITON, folder.resolve("triton.log"));
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            server.close();
        }
    }

    private static AskedEngine llm(Method method) {
        return AskedEngine.of(server, "llm", method, Tensors.DEFAULT, options -> options.extraBody(VLLM));
    }

    private static SamplingParameters most(int tokens) {
        return SamplingParameters.builder().maxTokens(tokens).build();
    }

    /** What the llm model counts of its own work. */
    private static int count(String name) throws Exception {
        String counts = server.post("/v2/models/llm/generate", "{\"text_input\": \"counts\"}")
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .body();
        return MAPPER.readTree(MAPPER.readTree(counts).path("text_output").asText())
                .path(name)
                .asInt();
    }

    private static CompletableFuture<Completion> generate(AskedEngine engine, String text, int tokens, int delayMs) {
        return engine.ask(Operation.GENERATE, text, most(tokens), "{\"delay_ms\": " + delayMs + "}", Optional.empty());
    }

    @Test
    void shouldInferNamedTensors() {
        try (var engine = AskedEngine.infer(server, "embedder", BATCHED, "UPPER")) {
            Completed answer = completed(engine.ask(Operation.GENERATE, "h\u00e9 \"\\\n \ud83d\ude00"));

            assertThat(text(answer)).isEqualTo("H\u00c9 \"\\\n \ud83d\ude00");
            assertThat(answer.model().version()).contains("1");
            assertThat(answer.endpoint()).contains("real");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"VECTOR | 5, 0.1, -1.5e-10, 3e8", "DOUBLES | 5, 0", "LENGTH | 5"})
    void shouldEmbedWithTensorsOfSeveralTypes(String tensor, String expected) {
        try (var engine = AskedEngine.infer(server, "embedder", BATCHED, tensor)) {
            Float[] numbers = List.of(expected.split(", ", -1)).stream()
                    .map(Float::valueOf)
                    .toArray(Float[]::new);
            assertThat(vector(completed(engine.ask(Operation.EMBED, "hello")))).containsExactly(numbers);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Method.class,
            names = {"GENERATE", "GENERATE_STREAM"})
    void shouldGenerate(Method method) {
        try (var engine = llm(method)) {
            Completed answer =
                    completed(engine.ask(Operation.GENERATE, "one two three", most(5), "{}", Optional.empty()));

            assertThat(text(answer)).isEqualTo("one two three one two");
            assertThat(answer.usage()).isEqualTo(new Usage(3, 0, 5));
            assertThat(answer.finishReason()).isEqualTo(FinishReason.LENGTH);
            assertThat(answer.model().version()).contains("1");
            assertThat(answer.timings().timeToFirstTokenNanos())
                    .isPositive()
                    .isLessThanOrEqualTo(answer.timings().totalNanos());

            SamplingParameters stop =
                    most(6).toBuilder().stop(List.of(" three")).build();
            assertThat(text(completed(engine.ask(Operation.GENERATE, "one two three", stop, "{}", Optional.empty()))))
                    .isEqualTo("one two");
        }
    }

    @Test
    void shouldSayWhatOnlyTheServerKnows() {
        try (var engine = llm(Method.GENERATE_STREAM)) {
            SamplingParameters sampling = most(1).toBuilder().seed(7).topK(3).build();
            String extra = "{\"parameters\": {\"priority\": 2, \"top_p\": null}}";

            Completed answer =
                    completed(engine.ask(Operation.GENERATE, "parameters", sampling, extra, Optional.empty()));

            assertThat(text(answer))
                    .isEqualTo("{\"max_tokens\":1,\"priority\":2,\"seed\":7,\"temperature\":1.0,\"top_k\":3}");
        }
    }

    @Test
    void shouldAnswerManyAtATime() {
        try (var engine = llm(Method.GENERATE_STREAM)) {
            List<CompletableFuture<Completion>> all = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                all.add(generate(engine, "word" + i, 4, 5));
            }
            for (int i = 0; i < 100; i++) {
                String word = "word" + i;
                assertThat(text(completed(all.get(i)))).isEqualTo(String.join(" ", word, word, word, word));
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "embedder | 1 | TEXT | VECTOR | unexpected shape for input 'TEXT' for model 'embedder'. Expected [-1,1], got [1]",
                "embedder | 2 | TEXX | VECTOR | unexpected inference input 'TEXX' for model 'embedder'",
                "embedder | 2 | TEXT | NONE | unexpected inference output 'NONE' for model 'embedder'",
                "embedder | 2 | TEXT | HALVES | sending FP16 data via JSON is not supported",
                "llm | 1 | text_input | text_output | doesn't support models with decoupled transaction policy",
            })
    void shouldSayWhatIsWrongWithTensors(String model, int dimensions, String input, String output, String message) {
        Tensors tensors = new Tensors(input, dimensions == 1 ? PLAIN : BATCHED, output);
        try (var engine = AskedEngine.of(server, model, Method.INFER, tensors, options -> options)) {
            Failed failed = failed(engine.ask(Operation.GENERATE, "hello"));

            assertThat(failed.code()).as(failed.message()).isEqualTo(FailureCode.INVALID_REQUEST);
            assertThat(failed.message()).contains(message);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Method.class,
            names = {"GENERATE", "GENERATE_STREAM"})
    void shouldRefuseAParameterOfAnotherType(Method method) {
        try (var engine = llm(method)) {
            Failed failed = failed(
                    engine.ask(Operation.GENERATE, "hello", most(1), "{\"delay_ms\": \"long\"}", Optional.empty()));

            assertThat(failed.code()).as(failed.message()).isEqualTo(FailureCode.INVALID_REQUEST);
            assertThat(failed.message()).contains("Unable to parse 'data'");
        }
    }

    @Test
    void shouldSayThatTheEmbeddingIsNoNumber() {
        try (var engine = AskedEngine.infer(server, "embedder", BATCHED, "VECTOR")) {
            Failed failed = failed(engine.ask(Operation.EMBED, "nan"));

            assertThat(failed.code()).isEqualTo(FailureCode.ENGINE_ERROR);
            assertThat(failed.message()).contains("NaN");
        }
    }

    @Test
    void shouldSayThatAModelFails() {
        try (var engine = AskedEngine.infer(server, "embedder", BATCHED, "VECTOR")) {
            Failed raised = failed(engine.ask(Operation.EMBED, "raise"));
            Failed refused = failed(engine.ask(Operation.EMBED, "refuse"));

            assertThat(raised.code()).as(raised.message()).isEqualTo(FailureCode.ENGINE_ERROR);
            assertThat(raised.message()).contains("attempts=3", "ValueError: the model fails");
            assertThat(refused.code()).as(refused.message()).isEqualTo(FailureCode.INVALID_REQUEST);
            assertThat(refused.message()).isEqualTo("the model takes no such text");
            assertThat(vector(completed(engine.ask(Operation.EMBED, "hello")))).hasSize(4);
        }
    }

    /** Triton has one status, 400, for whatever a model of generate says before its first token. */
    @ParameterizedTest
    @CsvSource({
        "GENERATE, raise, INVALID_REQUEST, 1",
        "GENERATE_STREAM, raise, INVALID_REQUEST, 1",
        "GENERATE, one raise, INVALID_REQUEST, 1",
        "GENERATE_STREAM, one raise, ENGINE_ERROR, 3",
    })
    void shouldSayThatAModelFailsWhileItGenerates(Method method, String prompt, FailureCode code, int attempts)
            throws Exception {
        try (var engine = llm(method)) {
            int before = count("started");

            Failed failed = failed(generate(engine, prompt, 4, 0));

            assertThat(failed.code()).as(failed.message()).isEqualTo(code);
            assertThat(failed.message()).contains("Error generating stream: the model fails at its token");
            eventually(() -> assertThat(count("started") - before).isEqualTo(attempts));
        }
    }

    /** What a python model raises where it answers in one piece may be another request's fault: it is asked again. */
    @Test
    void shouldAskAgainWhereABatchOfGenerateFails() {
        Tensors tensors = new Tensors("TEXT", PLAIN, "UPPER");
        try (var engine = AskedEngine.of(server, "embedder", Method.GENERATE, tensors, options -> options)) {
            Failed failed = failed(engine.ask(Operation.GENERATE, "raise"));

            assertThat(failed.code()).as(failed.message()).isEqualTo(FailureCode.ENGINE_ERROR);
            assertThat(failed.message()).contains("attempts=3", "ValueError: the model fails");
        }
    }

    @Test
    void shouldSayThatAModelStreamsWhichIsAskedForOnePiece() {
        try (var engine = llm(Method.GENERATE)) {
            Failed failed =
                    failed(engine.ask(Operation.GENERATE, "a b", most(2), "{\"stream\": true}", Optional.empty()));

            assertThat(failed.code()).isEqualTo(FailureCode.ENGINE_ERROR);
            assertThat(failed.message())
                    .contains("generate expects model to produce exactly 1 response, use generate stream");
        }
    }

    @Test
    void shouldWaitForAModelThatIsNotThere() {
        try (var engine =
                AskedEngine.of(server, "nosuch", Method.GENERATE_STREAM, Tensors.DEFAULT, options -> options)) {
            CompletableFuture<Completion> waiting = engine.ask(Operation.GENERATE, "hello");
            await().atMost(PATIENCE)
                    .until(() ->
                            engine.engine().describe().contains("Request for unknown model: 'nosuch' is not found"));
            assertThat(engine.engine().awaitsServer()).isTrue();

            engine.engine().cancel("0");

            assertThat(failed(waiting).code()).isEqualTo(FailureCode.CANCELLED);
        }
    }

    @Test
    void shouldProbe() throws Exception {
        assertThat(probe("llm").health()).isEqualTo(EndpointProbe.Health.FINE);
        assertThat(probe("llm").message()).isEqualTo("model llm is ready");
        assertThat(probe("nosuch").health()).isEqualTo(EndpointProbe.Health.AWAY);
        assertThat(probe("nosuch").message()).contains("status=400: Model version not ready");
    }

    private static EndpointProbe.Report probe(String model) throws InterruptedException {
        return EndpointProbe.probe(RemoteOptions.builder(model)
                        .dialect(new OpenInference(Method.GENERATE, Tensors.DEFAULT))
                        .endpoints(List.of(Server.of("real", server.url())))
                        .build())
                .getFirst();
    }

    @ParameterizedTest
    @EnumSource
    void shouldStopAStreamThatRunsAsTheModelsOwnCountShows(RealServerContract.Ending how) throws Exception {
        try (var engine = llm(Method.GENERATE_STREAM)) {
            int endless = 100_000;
            Optional<Instant> deadline = how == RealServerContract.Ending.DEADLINE
                    ? Optional.of(Instant.now().plusSeconds(5))
                    : Optional.empty();
            int before = count("tokens");
            List<CompletableFuture<Completion>> running = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                running.add(engine.ask(Operation.GENERATE, "on and", most(endless), "{\"delay_ms\": 10}", deadline));
            }
            await().atMost(PATIENCE).until(() -> {
                boolean allSpeak = true;
                for (int i = 0; i < 4; i++) {
                    allSpeak &= running.get(i).isDone() || engine.engine().generatedTokens("" + i) > 0;
                }
                return allSpeak;
            });

            if (how == RealServerContract.Ending.CANCEL) {
                assertThat(count("running")).isEqualTo(4);
                for (int i = 0; i < 4; i++) {
                    engine.engine().cancel("" + i);
                }
            }

            for (CompletableFuture<Completion> each : running) {
                assertThat(failed(each).code()).isEqualTo(how.code);
            }
            eventually(() -> assertThat(count("running")).isZero());
            assertThat(count("tokens") - before).isLessThan(4 * endless);
        }
    }

    @Test
    void shouldEndAStreamAtAStopStringAndTheModelsWorkWithIt() throws Exception {
        try (var engine = llm(Method.GENERATE_STREAM)) {
            int endless = 100_000;
            int before = count("tokens");
            SamplingParameters stop = SamplingParameters.builder()
                    .maxTokens(endless)
                    .stop(List.of("c d"))
                    .build();

            Completed answer =
                    completed(engine.ask(Operation.GENERATE, "a b c d", stop, "{\"delay_ms\": 10}", Optional.empty()));

            assertThat(text(answer)).isEqualTo("a b ");
            assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP);
            eventually(() -> assertThat(count("running")).isZero());
            assertThat(count("tokens") - before).isLessThan(endless);
        }
    }

    /** Triton itself takes such a model for ready; it starts the process again by itself or with the model. */
    @ParameterizedTest
    @CsvSource({"llm, GENERATE_STREAM", "llm, GENERATE", "queued, INFER"})
    void shouldLoseNothingWhereTheProcessOfAModelIsKilled(String model, Method method) throws Exception {
        Tensors tensors = model.equals("llm") ? Tensors.DEFAULT : new Tensors("TEXT", PLAIN, "UPPER");
        try (var engine = AskedEngine.of(server, model, method, tensors, options -> options)) {
            assertThat(text(completed(engine.ask(Operation.GENERATE, "one")))).isNotEmpty();

            server.killProcessOf(model);
            List<CompletableFuture<Completion>> waiting = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                waiting.add(engine.ask(Operation.GENERATE, "w" + i));
            }
            await().during(Duration.ofSeconds(2))
                    .until(() -> waiting.stream().noneMatch(each -> each.isDone() && each.join() instanceof Failed));
            server.kill();
            server.restart();

            for (CompletableFuture<Completion> each : waiting) {
                assertThat(text(completed(each))).isNotEmpty();
            }
        }
    }

    /** Triton hears of it only when it writes; the README says so. */
    @Test
    void shouldNotStopInTritonWhatIsAnsweredInOnePiece() throws Exception {
        try (var engine = llm(Method.GENERATE)) {
            int before = count("tokens");
            CompletableFuture<Completion> running = generate(engine, "on and", 100, 10);
            eventually(() -> assertThat(count("tokens")).isGreaterThan(before));

            engine.engine().cancel("0");

            assertThat(failed(running).code()).isEqualTo(FailureCode.CANCELLED);
            eventually(() -> assertThat(count("running")).isZero());
            assertThat(count("tokens") - before).isEqualTo(100);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Method.class,
            names = {"GENERATE", "GENERATE_STREAM"})
    void shouldLoseNothingWhenTheServerIsKilledInTheMiddleAndComesBack(Method method) throws Exception {
        try (var engine = llm(method)) {
            List<CompletableFuture<Completion>> running = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                running.add(generate(engine, "w" + i, 50, 20));
            }
            int before = count("tokens");
            eventually(() -> assertThat(count("tokens")).isGreaterThan(before));

            server.kill();
            server.restart();

            for (int i = 0; i < 12; i++) {
                assertThat(text(completed(running.get(i))))
                        .isEqualTo(String.join(" ", Collections.nCopies(50, "w" + i)));
            }
            assertThat(engine.engine().stats().healthy()).isTrue();
        }
    }

    private static Slack slack(String signal) {
        return new Slack(
                Optional.empty(),
                new RemoteOptions.Metric(signal),
                Duration.ofMillis(100),
                Duration.ofSeconds(10),
                SlackCurve.parse("0:1, 2:0"));
    }

    @Test
    void shouldGoByTritonsOwnQueueOfTheModel() throws Exception {
        String queue = "nv_inference_pending_request_count";
        Path hold = Files.createFile(folder.resolve("hold"));
        Tensors tensors = new Tensors("TEXT", PLAIN, "UPPER");
        try (var engine = AskedEngine.of(
                        server,
                        "queued",
                        Method.INFER,
                        tensors,
                        options -> options.slack(slack(queue + "{model=\"queued\"}")));
                var sum = AskedEngine.of(
                        server, "llm", Method.GENERATE, Tensors.DEFAULT, options -> options.slack(slack(queue)));
                var other = AskedEngine.of(
                        server,
                        "llm",
                        Method.GENERATE,
                        Tensors.DEFAULT,
                        options -> options.slack(slack(queue + "{model=\"llm\",version=\"1\"}")))) {
            eventually(() -> assertThat(engine.engine().stats().healthy()).isTrue());
            List<CompletableFuture<HttpResponse<String>>> live = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                live.add(server.post(
                        "/v2/models/queued/infer",
                        "{\"inputs\":[{\"name\":\"TEXT\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"" + hold
                                + "\"]}]}"));
            }

            // one is worked on, three wait
            eventually(() ->
                    assertThat(engine.engine().describe()).contains(queue + "{model=\"queued\"}=3.0 leaves 0.00"));
            eventually(() -> assertThat(sum.engine().stats().healthy()).isFalse());
            eventually(() -> assertThat(other.engine().stats().healthy()).isTrue());

            Files.delete(hold);
            for (CompletableFuture<HttpResponse<String>> each : live) {
                assertThat(each.join().statusCode()).isEqualTo(200);
            }
            eventually(() -> assertThat(engine.engine().stats().healthy()).isTrue());
            assertThat(text(completed(engine.ask(Operation.GENERATE, "ours")))).isEqualTo("OURS");
        }
    }

    @Test
    void shouldSayThatTritonsMetricsAreNotWhereItsApiIs() {
        try (var engine = AskedEngine.of(
                server,
                "llm",
                Method.GENERATE,
                Tensors.DEFAULT,
                options -> options.endpoints(List.of(Server.of("real", server.url())))
                        .slack(slack("nv_inference_pending_request_count")))) {
            eventually(() -> assertThat(engine.engine().describe()).contains("status=404, expected=200"));
        }
    }

    private static void eventually(ThrowingRunnable assertion) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(50)).untilAsserted(assertion);
    }
}
