package io.millrace.servers;

import static io.millrace.servers.AskedEngine.completed;
import static io.millrace.servers.AskedEngine.failed;
import static io.millrace.servers.AskedEngine.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.devstack.ChildJvm;
import io.millrace.devstack.LlamaServerOptions;
import io.millrace.devstack.ModelServer;
import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.Completion.Usage;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.ResponseFormat;
import io.millrace.engine.SamplingParameters;
import io.millrace.llm.runtime.LlmEngine;
import io.millrace.llm.runtime.LlmEngineOptions;
import io.millrace.modelstore.ModelStore;
import io.millrace.remote.RemoteEngine;
import io.millrace.remote.RemoteOptions;
import io.millrace.streams.config.LlmSettings;
import io.millrace.streams.config.MillraceConfig;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The remote engine before a real server on the default model. {@code make test-servers} installs the servers and runs this. */
@Tag("servers")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class RealServerContract {

    static final Duration PATIENCE = Duration.ofMinutes(3);
    static final int SLOTS = 4;
    static final int SLOT_TOKENS = 512;
    private static final List<Integer> THE_CAPITAL_OF_FRANCE_IS = List.of(504, 3575, 282, 4649, 314);
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    static Path folder;

    /** A GGUF file. */
    private Path model;

    ModelServer server;
    RemoteEngine engine;

    /** Starts a server of {@link #SLOTS} slots that hold {@link #SLOT_TOKENS} each; it is ended by {@link #stop}. */
    abstract ModelServer start(Path model) throws IOException, InterruptedException;

    /** One on the same model that embeds. */
    abstract ModelServer startEmbedder() throws InterruptedException;

    /** Which it is, and the model as it takes it, for {@link ServerHolder}. */
    abstract List<String> held();

    /** Members of each request. */
    abstract Map<String, Object> extraBody();

    /** Members of a request in which the server finds something wrong. */
    abstract String wrongBody();

    @BeforeAll
    void startOnTheDefaultModel() throws IOException, InterruptedException {
        MillraceConfig defaults = MillraceConfig.defaults();
        model = ModelStore.open(ModelStore.defaultHome())
                .fetchModel(
                        ((LlmSettings) defaults.model(defaults.defaultModel())
                                        .orElseThrow()
                                        .engine())
                                .spec(),
                        ModelStore.Check.WHEN_CHANGED,
                        _ -> {})
                .path();
        server = start(model);
    }

    @AfterAll
    void stop() {
        if (server != null) {
            server.close();
        }
    }

    @BeforeEach
    void open() {
        engine = engine(server);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private RemoteEngine engine(ModelServer at) {
        return RemoteEngine.open(
                "model",
                RemoteOptions.builder(LlamaServerOptions.ALIAS)
                        .endpoints(List.of(RemoteOptions.Server.of("real", at.url())))
                        .extraBody(extraBody())
                        .build());
    }

    @Test
    void shouldAnswerAConversationAsTheServerAnswersAPlainClient() throws Exception {
        ObjectNode body = body().put("max_tokens", 24);
        body.putArray("messages").addObject().put("role", "user").put("content", "Name three rivers.");
        JsonNode plain = post("/chat/completions", body);

        Completed answer = completed(chat("Name three rivers.", greedy(24)));

        assertThat(text(answer))
                .isNotBlank()
                .isEqualTo(plain.at("/choices/0/message/content").asText());
        assertThat(answer.usage().promptTokens())
                .isEqualTo(plain.at("/usage/prompt_tokens").asInt());
        assertThat(answer.usage().completionTokens())
                .isEqualTo(plain.at("/usage/completion_tokens").asInt());
        assertThat(answer.endpoint()).contains("real");
        assertThat(answer.timings().timeToFirstTokenNanos())
                .isPositive()
                .isLessThanOrEqualTo(answer.timings().totalNanos());
    }

    @Test
    void shouldGenerateTheSameGreedyTextAsOurOwnEngine() throws IOException {
        // where the first words are beyond doubt: both round their numbers differently
        String prompt = "The capital of France is";
        try (var ours =
                LlmEngine.open("model", model, LlmEngineOptions.builder().build())) {
            var completion = new CompletableFuture<Completion>();
            assertThat(ours.submit(
                            request("ours", Operation.GENERATE, new Input.Text(prompt), greedy(4)),
                            completion::complete))
                    .isEmpty();
            Completed mine = (Completed)
                    completion.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();

            Completed theirs = completed(generate(prompt, greedy(4)));

            assertThat(text(theirs)).isEqualTo(text(mine)).contains("Paris");
            assertThat(theirs.usage()).isEqualTo(mine.usage());
            assertThat(theirs.finishReason()).isEqualTo(FinishReason.LENGTH);
        }
    }

    @Test
    void shouldRepeatItselfForASeedAndNotForAnother() {
        SamplingParameters hot = SamplingParameters.builder()
                .maxTokens(24)
                .temperature(1.5)
                .ignoreEos(true)
                .seed(7)
                .build();
        String first = text(completed(generate("Once upon a time", hot)));
        String again = text(completed(generate("Once upon a time", hot)));
        String other = text(
                completed(generate("Once upon a time", hot.toBuilder().seed(8).build())));

        assertThat(again).isEqualTo(first).isNotEqualTo(other);
    }

    @Test
    void shouldSampleAsTheRequestSays() {
        String prompt = "The capital of France is";
        SamplingParameters hot = SamplingParameters.builder()
                .maxTokens(8)
                .temperature(1.9)
                .ignoreEos(true)
                .seed(3)
                .build();
        String greedy = text(completed(generate(prompt, greedy(8))));

        assertThat(text(completed(generate(prompt, hot)))).isNotEqualTo(greedy);
        assertThat(text(completed(generate(prompt, hot.toBuilder().topK(1).build()))))
                .isEqualTo(greedy);
        assertThat(text(completed(generate(prompt, hot.toBuilder().minP(0.99).build()))))
                .isEqualTo(greedy);
    }

    @Test
    void shouldAnswerWithWhatASchemaAllows() throws IOException {
        String schema = """
                {"type": "object", "properties": {"river": {"enum": ["Rhine", "Nile"]}}, "required": ["river"],
                 "additionalProperties": false}""";
        Completed answer = completed(chat(
                "Name a river.",
                greedy(60).toBuilder()
                        .responseFormat(new ResponseFormat.JsonSchema(schema))
                        .build()));

        assertThat(MAPPER.readTree(text(answer)).path("river").asText()).isIn("Rhine", "Nile");
    }

    @Test
    void shouldTakeTokenIds() {
        Completed words = completed(generate("The capital of France is", greedy(4)));
        Completed ids = completed(
                submit(request("ids", Operation.GENERATE, new Input.TokenIds(THE_CAPITAL_OF_FRANCE_IS), greedy(4))));

        assertThat(text(ids)).isEqualTo(text(words));
    }

    @Test
    void shouldStopAtAStopString() {
        Completed answer = completed(generate(
                "One, two, three, four,",
                greedy(40).toBuilder().stop(List.of("seven")).build()));

        assertThat(text(answer)).contains("six").doesNotContain("seven");
        assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void shouldBringLogProbabilitiesOfEachToken() {
        Completed answer = completed(generate(
                "The capital of France is", greedy(4).toBuilder().logprobs(3).build()));

        List<Output.PositionLogprobs> logprobs = ((Output.Text) answer.output()).logprobs();
        assertThat(logprobs).hasSize(4).allSatisfy(position -> {
            assertThat(position.top()).hasSize(3);
            // greedy: the drawn token is the most probable one
            assertThat(position.logprob())
                    .isNegative()
                    .isEqualTo(position.top().getFirst().logprob(), within(1e-4f));
        });
    }

    @Test
    void shouldSayThatThePromptIsLongerThanTheContext() {
        Failed failed = failed(generate("word ".repeat(2 * SLOT_TOKENS), greedy(4)));

        assertThat(failed.code()).as(failed.message()).isEqualTo(FailureCode.CONTEXT_LENGTH_EXCEEDED);
        assertThat(failed.message()).contains(Integer.toString(SLOT_TOKENS));
    }

    @Test
    void shouldPassOnWhatTheServerFindsWrongInARequest() {
        InferenceRequest wrong = new InferenceRequest(
                "wrong",
                Operation.GENERATE,
                new Input.Text("Hello"),
                greedy(4),
                Optional.of(wrongBody()),
                1,
                0,
                "",
                Optional.empty(),
                System.nanoTime());

        Failed failed = failed(submit(wrong));

        assertThat(failed.code()).as(failed.message()).isEqualTo(FailureCode.INVALID_REQUEST);
    }

    @Test
    void shouldEmbed() throws IOException, InterruptedException {
        try (ModelServer embedder = startEmbedder();
                RemoteEngine embedding = engine(embedder)) {
            var completion = new CompletableFuture<Completion>();
            assertThat(embedding.submit(
                            request("embed", Operation.EMBED, new Input.Text("A river."), SamplingParameters.DEFAULT),
                            completion::complete))
                    .isEmpty();

            Completed answer = completed(completion);

            List<Float> vector = ((Output.Embedding) answer.output()).vector();
            assertThat(vector).hasSize(576);
            assertThat(vector.stream().mapToDouble(each -> each * each).sum()).isEqualTo(1, within(1e-3));
        }
    }

    /** How work that runs is ended from here. */
    enum Ending {
        CANCEL(FailureCode.CANCELLED),
        DEADLINE(FailureCode.DEADLINE_EXCEEDED);

        final FailureCode code;

        Ending(FailureCode code) {
            this.code = code;
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldStopWorkThatIsAlreadyRunningAsTheServersOwnCountShows(Ending how)
            throws IOException, InterruptedException {
        SamplingParameters endless =
                greedy(SLOT_TOKENS - 20).toBuilder().ignoreEos(true).build();
        Optional<Instant> deadline =
                how == Ending.DEADLINE ? Optional.of(Instant.now().plusSeconds(5)) : Optional.empty();
        List<CompletableFuture<Completion>> running = IntStream.range(0, SLOTS)
                .mapToObj(i -> submit(new InferenceRequest(
                        "endless-" + i,
                        Operation.GENERATE,
                        new Input.Text("Count: " + i),
                        endless,
                        Optional.empty(),
                        1,
                        0,
                        "",
                        deadline,
                        System.nanoTime())))
                .toList();
        // a busy machine may not come to a token before the deadline; it stops the work all the same
        await().atMost(PATIENCE)
                .until(() -> IntStream.range(0, SLOTS)
                        .allMatch(i -> engine.generatedTokens("endless-" + i) > 0
                                || running.get(i).isDone()));

        if (how == Ending.CANCEL) {
            assertThat(server.load().processing()).isEqualTo(SLOTS);
            IntStream.range(0, SLOTS).forEach(i -> engine.cancel("endless-" + i));
        }

        for (CompletableFuture<Completion> each : running) {
            Failed failed = failed(each);
            assertThat(failed.code()).isEqualTo(how.code);
            assertThat(failed.usage().map(Usage::completionTokens).orElse(0)).isBetween(0, SLOT_TOKENS - 21);
            assertThat(failed.usage().isPresent() || how == Ending.DEADLINE).isTrue();
        }
        eventually(() -> assertThat(server.load()).satisfies(load -> {
            assertThat(load.processing()).isZero();
            assertThat(load.deferred()).isZero();
        }));
    }

    @Test
    void shouldLoseNothingWhenTheServerIsKilledInTheMiddleAndComesBack() throws InterruptedException {
        int count = 3 * SLOTS;
        SamplingParameters sampling = greedy(48).toBuilder().ignoreEos(true).build();
        List<CompletableFuture<Completion>> running = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            running.add(generate("The number " + i + " is", sampling));
        }
        eventually(() -> assertThat(server.load().processing()).isEqualTo(SLOTS));
        await().atMost(PATIENCE).until(() -> engine.stats().generationTokensTotal() > 0);

        server.kill();
        server.restart();

        for (CompletableFuture<Completion> each : running) {
            assertThat(completed(each).usage().completionTokens()).isEqualTo(48);
        }
        assertThat(engine.stats().healthy()).isTrue();
    }

    @Test
    void shouldEndWithTheProcessThatStartedIt() throws IOException, InterruptedException {
        Path told = folder.resolve("told");
        var command = new ChildJvm.Command(
                "holder",
                ServerHolder.class.getName(),
                List.of("-Xmx128m"),
                List.of(
                        held().getFirst(),
                        held().getLast(),
                        folder.resolve("held.log").toString(),
                        told.toString()),
                Map.of(),
                folder.resolve("holder.log"));
        try (ChildJvm holder = ChildJvm.start(command)) {
            await().atMost(PATIENCE).until(() -> Files.exists(told));
            ProcessHandle held =
                    ProcessHandle.of(Long.parseLong(Files.readString(told))).orElseThrow();
            List<ProcessHandle> all =
                    Stream.concat(Stream.of(held), held.descendants()).toList();
            assertThat(all).allMatch(ProcessHandle::isAlive);

            holder.kill();

            await().atMost(PATIENCE).until(() -> all.stream().noneMatch(ProcessHandle::isAlive));
        }
    }

    CompletableFuture<Completion> chat(String content, SamplingParameters sampling) {
        return submit(request(
                "chat", Operation.CHAT, new Input.Conversation(List.of(new Input.Message("user", content))), sampling));
    }

    private int count;

    CompletableFuture<Completion> generate(String prompt, SamplingParameters sampling) {
        return submit(request("generate-" + count++, Operation.GENERATE, new Input.Text(prompt), sampling));
    }

    CompletableFuture<Completion> submit(InferenceRequest request) {
        var completion = new CompletableFuture<Completion>();
        assertThat(engine.submit(request, completion::complete)).isEmpty();
        return completion;
    }

    static InferenceRequest request(String id, Operation operation, Input input, SamplingParameters sampling) {
        return new InferenceRequest(
                id, operation, input, sampling, Optional.empty(), 1, 0, "", Optional.empty(), System.nanoTime());
    }

    static SamplingParameters greedy(int maxTokens) {
        return SamplingParameters.GREEDY.toBuilder().maxTokens(maxTokens).build();
    }

    static void eventually(ThrowingRunnable assertion) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(100)).untilAsserted(assertion);
    }

    private static ObjectNode body() {
        return MAPPER.createObjectNode().put("model", LlamaServerOptions.ALIAS).put("temperature", 0);
    }

    private JsonNode post(String path, ObjectNode body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server.url() + path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build();
        return MAPPER.readTree(
                HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body());
    }
}
