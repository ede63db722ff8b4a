package io.millrace.llm.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.SamplingParameters;
import io.millrace.llm.golden.Golden;
import io.millrace.llm.golden.RealModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The engine on real weights and the CPU backend. */
class RealModelEngineTest {

    private static final SamplingParameters GREEDY =
            SamplingParameters.GREEDY.toBuilder().ignoreEos(true).build();

    private static LlmEngine roomy; // default options: a batch of 32, prompts in one chunk, blocks for all

    @BeforeAll
    static void openRoomy() throws IOException {
        roomy = open(options -> options);
    }

    @AfterAll
    static void closeRoomy() {
        roomy.close();
    }

    @Test
    void shouldContinueEachGoldenPromptAsTheJudgeDoes() throws Exception {
        JsonNode goldens = Golden.json("smollm2-model.json");
        double nearTieMargin = goldens.get("near_tie_margin").doubleValue();
        List<InferenceRequest> requests = new ArrayList<>();
        for (JsonNode golden : goldens.get("prompts")) {
            SamplingParameters sampling =
                    GREEDY.toBuilder().maxTokens(golden.get("tokens").size()).build();
            requests.add(request(Golden.ints(golden.get("prompt")), sampling, requests.size()));
        }
        List<Completed> answers = together(roomy, requests);
        for (int i = 0; i < requests.size(); i++) {
            JsonNode golden = goldens.get("prompts").get(i);
            int sure = 0;
            while (sure < golden.get("margins").size()
                    && golden.get("margins").get(sure).doubleValue() >= nearTieMargin) {
                sure++;
            }
            List<Integer> judged = Arrays.stream(Golden.ints(golden.get("tokens")))
                    .boxed()
                    .toList()
                    .subList(0, sure);
            assertThat(tokens(answers.get(i)).subList(0, sure))
                    .as(golden.get("name").asText())
                    .isEqualTo(judged);
        }
    }

    @Test
    void shouldAnswerTheSameInAnyBatchWithPromptsInChunks() throws Exception {
        List<InferenceRequest> requests = requests(32, 12);
        List<Completed> alone = new ArrayList<>();
        for (InferenceRequest request : requests) {
            alone.addAll(together(roomy, List.of(request)));
        }
        for (int size : new int[] {7, 32}) {
            try (LlmEngine engine = open(options -> options.maxNumSeqs(size).maxNumBatchedTokens(128))) {
                List<Completed> batched = together(engine, requests);
                for (int i = 0; i < requests.size(); i++) {
                    assertThat(tokens(batched.get(i)))
                            .as("request %d among %d", i, size)
                            .isEqualTo(tokens(alone.get(i)));
                }
                assertThat(meanSequences(engine)).isGreaterThan(size / 2.0);
            }
        }
    }

    @Test
    void shouldFinishAllWithTheSameTokensWhereTheBlockPoolIsSmallerThanTheDemand() throws Exception {
        List<InferenceRequest> requests = requests(10, 40);
        List<Completed> expected = together(roomy, requests);
        assertThat(roomy.stats().preemptionsTotal()).isZero();
        List<Completed> tight;
        long blockBytes = 16L * 2 * 2 * 30 * 3 * 64; // block_size × keys and values × f16 × layers × kv heads × head
        try (LlmEngine engine = open(options -> options.maxModelLen(160).kvCacheMemoryBytes(16 * blockBytes))) {
            tight = together(engine, requests);
            assertThat(engine.stats().preemptionsTotal()).isPositive();
            assertThat(engine.stats().kvCacheUsage()).isZero();
        }
        for (int i = 0; i < requests.size(); i++) {
            assertThat(tokens(tight.get(i))).as("request %d", i).isEqualTo(tokens(expected.get(i)));
        }
        assertThat(tight)
                .anySatisfy(answer -> assertThat(answer.batch().preemptions()).isPositive());
    }

    @Test
    void shouldReportLogprobsOfTheUnmodifiedLogitsForEachToken() throws Exception {
        SamplingParameters sampling = SamplingParameters.GREEDY.toBuilder()
                .maxTokens(4)
                .minTokens(4)
                .logprobs(3)
                .build();
        InferenceRequest request = request(Golden.ints(prompts().get(1).get("prompt")), sampling, 0);
        Output.Text output =
                (Output.Text) together(roomy, List.of(request)).getFirst().output();
        assertThat(output.logprobs()).hasSize(4).allSatisfy(position -> {
            assertThat(position.top()).hasSize(3);
            assertThat(position.top().getFirst().tokenId()).isEqualTo(position.tokenId());
            assertThat(position.logprob()).isBetween(-10f, 0f);
        });
    }

    @Test
    void shouldAnswerAChatInTheModelsTemplateAndEndByItself() throws Exception {
        InferenceRequest request = new InferenceRequest(
                "chat",
                Operation.CHAT,
                new Input.Text("What is the capital of France? Answer in one word."),
                SamplingParameters.GREEDY,
                Optional.empty(),
                0,
                0,
                "",
                Optional.empty(),
                System.nanoTime());
        Completed completed = together(roomy, List.of(request)).getFirst();
        Output.Text output = (Output.Text) completed.output();
        assertThat(output.text()).contains("Paris").doesNotContain("<|im_end|>");
        assertThat(completed.finishReason()).isEqualTo(Completion.FinishReason.STOP);
        assertThat(completed.usage().completionTokens())
                .isEqualTo(output.tokenIds().size() - 1);
    }

    /** Prompts of the goldens at several lengths; every other one is drawn at random. */
    private static List<InferenceRequest> requests(int count, int maxTokens) throws IOException {
        List<InferenceRequest> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] whole = Golden.ints(prompts().get(i % prompts().size()).get("prompt"));
            int[] prompt = Arrays.copyOf(whole, Math.min(whole.length, 5 + 7 * (i % 13)));
            SamplingParameters sampling = GREEDY.toBuilder()
                    .maxTokens(maxTokens)
                    .temperature(i % 2 == 0 ? 0 : 0.9)
                    .topP(0.95)
                    .build();
            requests.add(request(prompt, sampling, i));
        }
        return requests;
    }

    private static JsonNode prompts() throws IOException {
        return Golden.json("smollm2-model.json").get("prompts");
    }

    private static InferenceRequest request(int[] prompt, SamplingParameters sampling, int number) {
        return new InferenceRequest(
                "r" + number,
                Operation.GENERATE,
                new Input.TokenIds(Arrays.stream(prompt).boxed().toList()),
                sampling,
                Optional.empty(),
                number,
                0,
                "",
                Optional.empty(),
                System.nanoTime());
    }

    private static LlmEngine open(UnaryOperator<LlmEngineOptions.Builder> options) throws IOException {
        LlmEngineOptions.Builder small = LlmEngineOptions.builder()
                .backend("cpu")
                .modelDigest("sha256:test")
                .maxModelLen(1024);
        return LlmEngine.open(
                "smollm2", RealModel.smolLm2(), options.apply(small).build());
    }

    private static List<Completed> together(LlmEngine engine, List<InferenceRequest> requests) throws Exception {
        List<CompletableFuture<Completion>> futures = new ArrayList<>();
        for (InferenceRequest request : requests) {
            CompletableFuture<Completion> future = new CompletableFuture<>();
            assertThat(engine.submit(request, future::complete)).isEmpty();
            futures.add(future);
        }
        List<Completed> completed = new ArrayList<>();
        for (CompletableFuture<Completion> future : futures) {
            completed.add((Completed) future.get(5, TimeUnit.MINUTES));
        }
        return completed;
    }

    private static List<Integer> tokens(Completed completed) {
        return ((Output.Text) completed.output()).tokenIds();
    }

    private static double meanSequences(LlmEngine engine) {
        return (double) engine.stats().stepSequencesTotal() / engine.stats().stepsTotal();
    }
}
