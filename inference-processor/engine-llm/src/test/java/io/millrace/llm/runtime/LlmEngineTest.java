package io.millrace.llm.runtime;

import static io.millrace.llm.runtime.EngineRig.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.millrace.devstack.MatrixRow;
import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.Rejection;
import io.millrace.engine.ResponseFormat;
import io.millrace.engine.SamplingParameters;
import io.millrace.llm.backend.StepInput;
import io.millrace.llm.scheduler.PrefillMode;
import io.millrace.llm.scheduler.SchedulerLimits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlmEngineTest {

    private static final SamplingParameters ENDLESS =
            SamplingParameters.builder().ignoreEos(true).maxTokens(8).build();

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldAnswerWithTextTokensUsageAndReason(int depth) {
        EngineRig rig = new EngineRig(depth);

        Completed completed = (Completed) rig.run(request("r", "abc", ENDLESS));

        Output.Text output = (Output.Text) completed.output();
        assertThat(output.promptTokenIds()).containsExactly(1, 2, 3);
        assertThat(output.tokenIds()).isEqualTo(Oracle.answer(new int[] {1, 2, 3}, "r".hashCode(), 8));
        assertThat(output.text()).isEqualTo(Oracle.text(output.tokenIds()));
        assertThat(completed.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(completed.usage()).isEqualTo(new Completion.Usage(3, 0, 8));
        assertThat(completed.model().name()).isEqualTo("fake");
        assertThat(completed.batch().steps()).isEqualTo(8);
        assertThat(completed.batch().meanSequences()).isEqualTo(1);
        assertThat(completed.batch().meanTokens()).isEqualTo(10.0 / 8);
    }

    @Test
    void shouldMeasureQueuePrefillAndDecode() {
        EngineRig rig = new EngineRig(1);
        rig.clock.advance(7_000_000);
        rig.submit(request("r", "abc", ENDLESS));
        rig.runDry(); // a millisecond passes after each step

        Completed completed = (Completed) rig.completion("r");

        assertThat(completed.timings())
                .isEqualTo(new Completion.Timings(7_000_000, 0, 7_000_000, 7_000_000, 14_000_000));
    }

    @Test
    void shouldLaunchTheNextStepBeforeItCollectsTheLastWhereTheRunnerOverlaps() {
        EngineRig rig = new EngineRig(2);
        rig.run(request(
                "r",
                "abc",
                SamplingParameters.builder().ignoreEos(true).maxTokens(3).build()));
        assertThat(rig.runner.events)
                .containsExactly("launch 0", "launch 1", "collect 0", "launch 2", "collect 1", "collect 2");
        assertThat(rig.runner.steps.get(1).items().getFirst().tokens())
                .as("only the device knows it")
                .isEmpty();
        assertThat(rig.runner.steps.get(1).items().getFirst().count()).isEqualTo(1);
    }

    @Test
    void shouldCollectEachStepBeforeItLaunchesTheNextWhereTheRunnerDoesNotOverlap() {
        EngineRig rig = new EngineRig(1);
        rig.run(request(
                "r",
                "abc",
                SamplingParameters.builder().ignoreEos(true).maxTokens(2).build()));
        assertThat(rig.runner.events).containsExactly("launch 0", "collect 0", "launch 1", "collect 1");
    }

    @Test
    void shouldDropWhatAStepDrewForASequenceThatEndedInTheStepBefore() {
        EngineRig rig = new EngineRig(2);
        SamplingParameters sampling = SamplingParameters.builder().maxTokens(60).build();
        String prompt = promptThatEndsAfter(4);

        Completed completed = (Completed) rig.run(request("r", prompt, sampling));

        assertThat(completed.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(((Output.Text) completed.output()).tokenIds()).hasSize(4).endsWith(FakeCodec.END);
        assertThat(completed.usage().completionTokens())
                .as("without the token that ends it")
                .isEqualTo(3);
        assertThat(rig.runner.steps).as("one step was in flight already").hasSize(5);
        assertThat(rig.engine.stats().kvCacheUsage()).isZero();
    }

    @Test
    void shouldGoOnPastTheEndWhereAsked() {
        EngineRig rig = new EngineRig(1);
        SamplingParameters sampling =
                SamplingParameters.builder().ignoreEos(true).maxTokens(10).build();
        Completed completed = (Completed) rig.run(request("r", promptThatEndsAfter(4), sampling));
        assertThat(((Output.Text) completed.output()).tokenIds()).hasSize(10).contains(FakeCodec.END);
        assertThat(completed.usage().completionTokens()).isEqualTo(10);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldNotEndBeforeMinTokens(int depth) {
        EngineRig rig = new EngineRig(depth);
        SamplingParameters sampling = SamplingParameters.builder()
                .minTokens(6)
                .maxTokens(60)
                .stop(List.of("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"))
                .build();
        Completed completed = (Completed) rig.run(request("r", promptThatEndsAfter(4), sampling));
        assertThat(((Output.Text) completed.output()).tokenIds()).hasSizeGreaterThanOrEqualTo(6);
        assertThat(((Output.Text) completed.output()).tokenIds().subList(0, 6)).doesNotContain(FakeCodec.END);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldCutTheAnswerAtAStopStringThatSpansTokens(int depth) {
        List<Integer> tokens = Oracle.answer(new int[] {1, 2, 3}, "r".hashCode(), 8);
        String text = Oracle.text(tokens);
        String stop = text.substring(3, 6);
        SamplingParameters sampling =
                ENDLESS.toBuilder().stop(List.of("nowhere", stop)).build();

        Completed completed = (Completed) new EngineRig(depth).run(request("r", "abc", sampling));

        assertThat(((Output.Text) completed.output()).text()).isEqualTo(text.substring(0, 3));
        assertThat(completed.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(Oracle.text(((Output.Text) completed.output()).tokenIds())).isEqualTo(text.substring(0, 6));
    }

    @Test
    void shouldCapTheAnswerAtTheRestOfTheContext() {
        SchedulerLimits limits = new SchedulerLimits(64, 8, 20, 256, 4, 1, PrefillMode.CHUNKED);
        EngineRig rig = new EngineRig(1, limits, 10);
        SamplingParameters sampling =
                SamplingParameters.builder().ignoreEos(true).maxTokens(1000).build();

        Completed completed = (Completed) rig.run(request("r", "a".repeat(19), sampling));

        assertThat(completed.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(completed.usage().completionTokens()).isEqualTo(1);
    }

    @Test
    void shouldUseTheDefaultLengthWhereARequestStatesNone() {
        SamplingParameters sampling =
                SamplingParameters.builder().ignoreEos(true).build();
        Completed completed = (Completed) new EngineRig(1).run(request("r", "abc", sampling));
        assertThat(completed.usage().completionTokens()).isEqualTo(16);
    }

    @Test
    void shouldPreferTheRequestsOwnSeed() {
        Completed own = (Completed) new EngineRig(1)
                .run(request("r", "abc", ENDLESS.toBuilder().seed(99).build()));
        assertThat(((Output.Text) own.output()).tokenIds()).isEqualTo(Oracle.answer(new int[] {1, 2, 3}, 99, 8));
    }

    @Test
    void shouldRefuseAPromptThatFillsTheContextWithBothNumbers() {
        SchedulerLimits limits = new SchedulerLimits(64, 8, 20, 256, 4, 1, PrefillMode.CHUNKED);
        EngineRig rig = new EngineRig(1, limits, 10);
        assertThat(rig.run(request("r", "a".repeat(20), ENDLESS)))
                .isEqualTo(Failed.of(
                        "r",
                        FailureCode.CONTEXT_LENGTH_EXCEEDED,
                        "prompt_tokens=20, expected=fewer than max_model_len=20"));
    }

    @ParameterizedTest
    @EnumSource(names = {"EMBED", "CLASSIFY", "RERANK"})
    void shouldRefuseAnOperationItCannotDo(Operation operation) {
        assertInvalid(
                request("r", operation, new Input.Text("a"), ENDLESS),
                "operation=" + operation.wireName() + ", expected=chat or generate, for this model");
    }

    @Test
    void shouldRefuseWhatTheModelCannotRead() {
        assertInvalid(request("r", "", ENDLESS), "prompt_tokens=0, expected=at least 1: the prompt is empty");
        assertInvalid(tokens(1, 2, 27), "prompt_token_ids[2]=27, expected=0 to 26");
        assertInvalid(tokens(-1), "prompt_token_ids[0]=-1, expected=0 to 26");
        Input conversation = new Input.Conversation(List.of(new Input.Message("oracle", "hm")));
        assertInvalid(request("r", Operation.CHAT, conversation, ENDLESS), "role=oracle, expected=user");
    }

    @Test
    void shouldRefuseAResponseFormatItCannotHoldTo() {
        SamplingParameters sampling = ENDLESS.toBuilder()
                .responseFormat(new ResponseFormat.JsonObject())
                .build();
        assertInvalid(request("r", "a", sampling), "response_format=json_object, expected=text");
    }

    @Test
    void shouldRefuseWhatIsMeantForAServer() {
        InferenceRequest r = request("r", "a", ENDLESS);
        InferenceRequest forServer = new InferenceRequest(
                r.id(),
                r.operation(),
                r.input(),
                r.sampling(),
                Optional.of("{\"guided_choice\":[\"yes\",\"no\"]}"),
                r.seed(),
                0,
                "",
                Optional.empty(),
                0);
        assertInvalid(
                forServer,
                "extra_body={\"guided_choice\":[\"yes\",\"no\"]}, expected=none: this model is not on a remote server");
    }

    @Test
    void shouldRejectWhenTheQueueIsFullAndTakeMoreOnceItIsNot() {
        SchedulerLimits limits = new SchedulerLimits(8, 1, 64, 64, 4, 1, PrefillMode.CHUNKED);
        EngineRig rig = new EngineRig(1, limits, 2);
        rig.submit(request("a", "abc", ENDLESS));
        rig.engine.step(); // runs, waits no more
        assertThat(rig.submit(request("b", "abc", ENDLESS))).isEmpty();
        assertThat(rig.submit(request("c", "abc", ENDLESS))).isEmpty();

        assertThat(rig.submit(request("d", "abc", ENDLESS)))
                .contains(new Rejection(Rejection.Reason.QUEUE_FULL, "waiting=2, expected=fewer than max_waiting=2"));

        assertThat(rig.engine.stats().waiting()).isEqualTo(2);
        rig.runDry();
        assertThat(rig.submit(request("d", "abc", ENDLESS))).isEmpty();
        rig.runDry();
        assertThat(rig.completions).containsOnlyKeys("a", "b", "c", "d");
    }

    @Test
    void shouldRefuseAnIdThatIsInFlight() {
        EngineRig rig = new EngineRig(1);
        rig.submit(request("a", "abc", ENDLESS));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> rig.submit(request("a", "abc", ENDLESS)))
                .withMessage("id=a, expected=an id that no request in flight has");
        rig.runDry();
        rig.completions.clear();
        assertThat(rig.run(request("a", "abc", ENDLESS))).isInstanceOf(Completed.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldCancelARunningRequestWithItsPartialText(int depth) {
        EngineRig rig = new EngineRig(depth);
        rig.submit(request("a", "abc", ENDLESS));
        rig.submit(request("b", "abc", ENDLESS));
        for (int i = 0; i < 3; i++) {
            rig.engine.step();
        }
        rig.engine.cancel("a");
        rig.engine.cancel("unknown");
        rig.runDry();

        Failed failed = (Failed) rig.completion("a");
        assertThat(failed.code()).isEqualTo(FailureCode.CANCELLED);
        assertThat(failed.partialText())
                .hasValueSatisfying(text -> assertThat(text).isNotEmpty());
        assertThat(failed.usage())
                .hasValueSatisfying(usage -> assertThat(usage.promptTokens()).isEqualTo(3));
        assertThat(rig.completion("b")).isInstanceOf(Completed.class);
    }

    @Test
    void shouldServeFirstWhoseNewPriorityIsLowestAlsoWhenItIsSetBeforeTheRequestIsSeen() {
        SchedulerLimits limits = new SchedulerLimits(8, 1, 64, 64, 4, 1, PrefillMode.CHUNKED);
        EngineRig rig = new EngineRig(1, limits, 10);
        rig.submit(request("a", "abc", ENDLESS));
        rig.engine.step();
        rig.submit(request("b", "abc", ENDLESS));
        rig.submit(request("c", "abc", ENDLESS));
        rig.engine.step();
        rig.submit(request("d", "abc", ENDLESS));
        rig.engine.setPriority("d", -2); // not yet admitted
        rig.engine.setPriority("c", 7);
        rig.engine.setPriority("c", -1); // the last one counts
        rig.engine.setPriority("unknown", -9);
        rig.runDry();
        assertThat(rig.completions.keySet()).containsExactly("a", "d", "c", "b");
    }

    @Test
    void shouldTellTheTokensGeneratedSoFar() {
        EngineRig rig = new EngineRig(1);
        rig.submit(request("a", "abc", ENDLESS));
        assertThat(rig.engine.generatedTokens("a")).isZero();
        rig.engine.step();
        rig.engine.step();
        assertThat(rig.engine.generatedTokens("a")).isEqualTo(2);
        rig.runDry();
        assertThat(rig.engine.generatedTokens("a")).as("no longer in flight").isZero();
        assertThat(rig.engine.generatedTokens("unknown")).isZero();
    }

    @Test
    void shouldFreeTheIdOfACancelledRequestAtOnce() {
        EngineRig rig = new EngineRig(1);
        List<Completion> ofFirst = new ArrayList<>();
        List<Completion> ofSecond = new ArrayList<>();
        rig.engine.submit(request("a", "abc", ENDLESS), ofFirst::add);
        rig.engine.cancel("a");
        rig.engine.submit(request("a", "abc", ENDLESS), ofSecond::add);
        rig.runDry();
        assertThat(ofFirst).singleElement().isInstanceOf(Failed.class);
        assertThat(ofSecond).singleElement().isInstanceOf(Completed.class);
    }

    @Test
    @MatrixRow("hung or slow generation")
    void shouldFailARequestWhoseDeadlinePassesWhileItRunsOrWaits() {
        SchedulerLimits limits = new SchedulerLimits(8, 1, 64, 64, 4, 1, PrefillMode.CHUNKED);
        EngineRig rig = new EngineRig(1, limits, 10);
        rig.submit(withDeadline("a", 3_500_000));
        rig.submit(withDeadline("b", 3_500_000));
        rig.submit(withDeadline("c", Long.MAX_VALUE));
        rig.runDry();

        Failed running = (Failed) rig.completion("a");
        assertThat(running.code()).isEqualTo(FailureCode.DEADLINE_EXCEEDED);
        assertThat(running.message()).isEqualTo("deadline=2026-01-01T00:00:00.003500Z, passed while running");
        assertThat(running.partialText())
                .hasValueSatisfying(text -> assertThat(text).hasSize(4));
        Failed waiting = (Failed) rig.completion("b");
        assertThat(waiting.message()).isEqualTo("deadline=2026-01-01T00:00:00.003500Z, passed while waiting");
        assertThat(waiting.partialText()).isEmpty();
        assertThat(rig.completion("c")).isInstanceOf(Completed.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldFailOnlyTheSequenceThatBreaksItsStep(int depth) {
        EngineRig rig = new EngineRig(depth);
        rig.submit(request("a", "abc", ENDLESS));
        rig.engine.step();
        rig.submit(tokens("poisoned", 1, FakeRunner.POISON));
        rig.submit(request("b", "abcdef", ENDLESS));
        rig.runDry();

        Failed failed = (Failed) rig.completion("poisoned");
        assertThat(failed.code()).isEqualTo(FailureCode.ENGINE_ERROR);
        assertThat(failed.message()).isEqualTo("the step of this request failed: step failed");
        assertThat(answer(rig, "a")).isEqualTo(Oracle.answer(FakeCodec.letters("abc"), "a".hashCode(), 8));
        assertThat(answer(rig, "b")).isEqualTo(Oracle.answer(FakeCodec.letters("abcdef"), "b".hashCode(), 8));
        assertThat(rig.engine.stats().kvCacheUsage()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldAnswerAllWhenALaunchFailsOnce(int depth) {
        EngineRig rig = new EngineRig(depth);
        int[] launches = {0};
        rig.runner.failsToLaunch = () -> launches[0]++ == 3;
        rig.submit(request("a", "abc", ENDLESS));
        rig.submit(request("b", "abcdef", ENDLESS));
        rig.runDry();
        assertThat(answer(rig, "a")).isEqualTo(Oracle.answer(FakeCodec.letters("abc"), "a".hashCode(), 8));
        assertThat(answer(rig, "b")).isEqualTo(Oracle.answer(FakeCodec.letters("abcdef"), "b".hashCode(), 8));
    }

    @Test
    void shouldGoOnWhenACallbackThrows() {
        EngineRig rig = new EngineRig(1);
        rig.engine.submit(request("a", "abc", ENDLESS), completion -> {
            throw new IllegalStateException("callback");
        });
        rig.submit(request("b", "abc", ENDLESS));
        rig.runDry();
        assertThat(rig.completions).containsOnlyKeys("b");
    }

    @Test
    void shouldCountTokensStepsAndSequencesOnce() {
        SchedulerLimits limits = new SchedulerLimits(4, 4, 64, 64, 4, 1, PrefillMode.CHUNKED);
        EngineRig rig = new EngineRig(1, limits, 10);
        rig.submit(request("a", "abcdefghij", ENDLESS));
        rig.submit(request("b", "abc", ENDLESS));
        rig.runDry();
        assertThat(rig.engine.stats().promptTokensTotal()).isEqualTo(13);
        assertThat(rig.engine.stats().generationTokensTotal()).isEqualTo(16);
        assertThat(rig.engine.stats().stepsTotal()).isEqualTo(rig.runner.steps.size());
        assertThat(rig.engine.stats().stepTokensTotal())
                .isEqualTo(rig.runner.steps.stream()
                        .mapToInt(StepInput::tokenCount)
                        .sum());
        assertThat(rig.engine.stats().running()).isZero();
        assertThat(rig.engine.stats().waiting()).isZero();
    }

    @Test
    void shouldPassOnTheHistoryOnlyWhereItIsPenalized() {
        EngineRig rig = new EngineRig(1);
        rig.run(request("r", "abc", ENDLESS.toBuilder().repetitionPenalty(1.1).build()));
        assertThat(rig.runner
                        .steps
                        .getLast()
                        .items()
                        .getFirst()
                        .sample()
                        .orElseThrow()
                        .history())
                .hasSize(10)
                .startsWith(1, 2, 3);
        rig.run(request("s", "abc", ENDLESS));
        assertThat(rig.runner
                        .steps
                        .getLast()
                        .items()
                        .getFirst()
                        .sample()
                        .orElseThrow()
                        .history())
                .isEmpty();
    }

    private static void assertInvalid(InferenceRequest request, String message) {
        assertThat(new EngineRig(1).run(request))
                .isEqualTo(Failed.of(request.id(), FailureCode.INVALID_REQUEST, message));
    }

    private static InferenceRequest tokens(int... ids) {
        return tokens("r", ids);
    }

    private static InferenceRequest tokens(String id, int... ids) {
        return request(
                id,
                Operation.GENERATE,
                new Input.TokenIds(Arrays.stream(ids).boxed().toList()),
                ENDLESS);
    }

    private static InferenceRequest withDeadline(String id, long nanos) {
        InferenceRequest r = request(id, "abc", ENDLESS);
        return new InferenceRequest(
                id,
                r.operation(),
                r.input(),
                r.sampling(),
                r.extraBody(),
                r.seed(),
                0,
                "",
                Optional.of(ManualClock.EPOCH.plusNanos(nanos)),
                0);
    }

    private static List<Integer> answer(EngineRig rig, String id) {
        return ((Output.Text) ((Completed) rig.completion(id)).output()).tokenIds();
    }

    /** A prompt whose answer's n-th token ends it. */
    private static String promptThatEndsAfter(int n) {
        for (int i = 0; i < 100_000; i++) {
            String prompt = Integer.toString(i, 10)
                    .chars()
                    .mapToObj(c -> FakeCodec.letter(c - '0' + 1))
                    .reduce("", String::concat);
            List<Integer> answer = Oracle.answer(FakeCodec.letters(prompt), "r".hashCode(), 60);
            if (answer.indexOf(FakeCodec.END) == n - 1) {
                return prompt;
            }
        }
        throw new AssertionError("no such prompt");
    }
}
