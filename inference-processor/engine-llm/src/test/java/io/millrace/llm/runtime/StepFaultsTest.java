package io.millrace.llm.runtime;

import static io.millrace.llm.runtime.EngineRig.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.devstack.MatrixRow;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.SamplingParameters;
import io.millrace.llm.backend.StepFailedException;
import io.millrace.llm.scheduler.PrefillMode;
import io.millrace.llm.scheduler.SchedulerLimits;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps that fail: who is lost, who is answered, and what it costs. */
class StepFaultsTest {

    private static final SamplingParameters EIGHT =
            SamplingParameters.builder().ignoreEos(true).maxTokens(8).build();

    private static final int BATCH = 64;

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 2", "1, 3", "1, 8", "2, 1", "2, 2", "2, 3", "2, 8"})
    void shouldFindTheSequencesAtFaultByBisection(int depth, int culprits) {
        EngineRig rig = new EngineRig(depth, limits(BATCH, PrefillMode.CHUNKED), BATCH);
        int[] launches = {0};
        rig.runner.onLaunch = step -> launches[0]++;
        for (int i = 0; i < BATCH; i++) {
            boolean poisoned = i % (BATCH / culprits) == 5;
            rig.submit(tokens("r" + i, poisoned && i / (BATCH / culprits) < culprits ? FakeRunner.POISON : 1 + i % 20));
        }
        rig.runDry();

        List<Failed> failed = rig.completions.values().stream()
                .filter(Failed.class::isInstance)
                .map(Failed.class::cast)
                .toList();
        assertThat(failed).hasSize(culprits).allSatisfy(each -> {
            assertThat(each.code()).isEqualTo(FailureCode.ENGINE_ERROR);
            assertThat(each.message()).isEqualTo("the step of this request failed: step failed");
        });
        for (int i = 0; i < BATCH; i++) {
            if (rig.completion("r" + i) instanceof Completed) {
                assertAnswered(rig, "r" + i, 1 + i % 20);
            }
        }
        int log = Integer.numberOfTrailingZeros(BATCH);
        int rounds = StepFaults.FAILURES_OF_A_CULPRIT * (1 + 2 * culprits * log + 1); // batch, halves, probe
        int overlapping = depth == 2 ? StepFaults.FAILURES_OF_A_CULPRIT : 0; // launched on top of a failed step
        assertThat(launches[0]).isLessThanOrEqualTo(8 + rounds + overlapping);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 2", "1, 8", "2, 1", "2, 2", "2, 8"})
    void shouldBlameNoRequestForADeviceThatFailsEveryStep(int depth, int requests) {
        EngineRig rig = new EngineRig(depth);
        for (int i = 0; i < requests; i++) {
            rig.submit(tokens("r" + i, 1, 2, 3));
        }
        rig.engine.step();
        rig.engine.step();
        rig.runner.failsToCollect = () -> true;

        assertThatThrownBy(rig::runDry)
                .isInstanceOf(StepFailedException.class)
                .hasMessage("the device failed 3 steps in a row, those of a single token too");
        assertThat(rig.completions).isEmpty();
    }

    /** Wherever an outage of up to two rounds begins and ends, between whichever two launches. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldBlameNoRequestForAnOutage(int depth) {
        for (int from = 0; from < 12; from++) {
            for (int length = 1; length <= 16; length++) {
                EngineRig rig = new EngineRig(depth);
                int begin = from;
                int end = from + length;
                int[] launches = {0};
                rig.runner.failsToLaunch = () -> ++launches[0] > begin && launches[0] <= end && launches[0] % 2 == 0;
                rig.runner.failsToCollect = () -> launches[0] > begin && launches[0] <= end;
                for (int i = 0; i < 4; i++) {
                    rig.submit(tokens("r" + i, 1, 2, i));
                }
                rig.runDry();
                for (int i = 0; i < 4; i++) {
                    assertAnswered(rig, "r" + i, 1, 2, i);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldFailAPoisonedPromptThatIsAloneAndAnswerTheNext(int depth) {
        EngineRig rig = new EngineRig(depth);
        rig.submit(tokens("poisoned", 1, FakeRunner.POISON));
        rig.runDry();
        assertThat(((Failed) rig.completion("poisoned")).code()).isEqualTo(FailureCode.ENGINE_ERROR);
        rig.submit(tokens("next", 1, 2));
        rig.runDry();
        assertAnswered(rig, "next", 1, 2);
    }

    @Test
    void shouldFailABatchOfNothingButPoisonSinceTheProbeShowsThatTheDeviceWorks() {
        EngineRig rig = new EngineRig(1);
        for (int i = 0; i < 8; i++) {
            rig.submit(tokens("r" + i, FakeRunner.POISON));
        }
        rig.runDry();
        assertThat(rig.completions.values())
                .hasSize(8)
                .allSatisfy(completion -> assertThat(completion).isInstanceOf(Failed.class));
    }

    @Test
    void shouldNotCountAStepOfWhichNothingWasDone() {
        EngineRig rig = new EngineRig(1);
        rig.submit(tokens("a", 1, 2));
        rig.engine.step();
        rig.runner.failsToCollect = () -> true;
        rig.engine.step();
        assertThat(rig.engine.stats().stepsTotal()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"1, CHUNKED", "2, CHUNKED", "1, WHOLE", "2, WHOLE"})
    @MatrixRow("GPU out of memory")
    void shouldAnswerAllInSmallerStepsWhereMemoryIsExhausted(int depth, PrefillMode mode) {
        EngineRig rig = new EngineRig(depth, limits(64, mode), 100);
        rig.runner.exhaustsMemoryAtLaunch = step -> step.tokenCount() > 9 && step.tokenCount() % 2 == 0;
        rig.runner.exhaustsMemoryAtCollect = step -> step.tokenCount() > 9;
        for (int i = 0; i < 20; i++) {
            rig.submit(tokens("r" + i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, i));
        }
        rig.runDry();

        for (int i = 0; i < 20; i++) {
            assertAnswered(rig, "r" + i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, i);
        }
        assertThat(rig.engine.stats().budgetShrinksTotal()).isEqualTo(3);
        assertThat(rig.engine.stats().tokenBudget()).isEqualTo(8);
        assertThat(rig.engine.stats().kvCacheUsage()).isZero();
    }

    @Test
    @MatrixRow("GPU out of memory")
    void shouldGrowItsStepsBackOnceThereIsMemory() {
        EngineRig rig = new EngineRig(1, limits(64, PrefillMode.CHUNKED), 100);
        assertThat(rig.engine.stats().tokenBudget()).isEqualTo(64);
        rig.runner.exhaustsMemoryAtCollect = step -> true;
        rig.submit(tokens("a", 1, 2));
        rig.engine.step();
        rig.engine.step();
        assertThat(rig.engine.stats().tokenBudget()).isEqualTo(16);
        rig.runner.exhaustsMemoryAtCollect = step -> false;
        for (int i = 0; rig.engine.stats().tokenBudget() < 64; i++) {
            rig.run(tokens("r" + i, 1, 2));
        }
        assertThat(rig.engine.stats().budgetShrinksTotal()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    @MatrixRow("GPU out of memory")
    void shouldFailARequestThatExhaustsMemoryWhateverTheStepAndAnswerTheOthers(int depth) {
        EngineRig rig = new EngineRig(depth, limits(8, PrefillMode.CHUNKED), 100);
        rig.runner.exhaustsMemoryAtCollect =
                step -> step.items().stream().anyMatch(item -> item.start() + item.count() > 40);
        for (int i = 0; i < 6; i++) {
            rig.submit(tokens("r" + i, 1, 2, i));
        }
        int[] large = new int[36];
        Arrays.fill(large, 7);
        rig.submit(tokens("large", large));
        rig.runDry();

        Failed failed = (Failed) rig.completion("large");
        assertThat(failed.code()).isEqualTo(FailureCode.ENGINE_ERROR);
        assertThat(failed.message())
                .isEqualTo("this request exhausts memory in steps of a single token: no room for 1 tokens");
        assertThat(failed.partialText()).as("what came before").isPresent();
        for (int i = 0; i < 6; i++) {
            assertAnswered(rig, "r" + i, 1, 2, i);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldStopRatherThanBlameRequestsWhenThereIsNoMemoryAtAll(int depth) {
        EngineRig rig = new EngineRig(depth);
        rig.runner.exhaustsMemoryAtLaunch = step -> true;
        for (int i = 0; i < 8; i++) {
            rig.submit(tokens("r" + i, 1, 2, 3));
        }
        assertThatThrownBy(rig::runDry).isInstanceOf(StepFailedException.class);
        assertThat(rig.completions).isEmpty();
        assertThat(rig.engine.stats().tokenBudget()).isEqualTo(1);
    }

    @Test
    void shouldShrinkItsStepsAlsoWhenMemoryIsExhaustedDuringABisection() {
        EngineRig rig = new EngineRig(1);
        int[] launches = {0};
        rig.runner.onLaunch = step -> launches[0]++;
        rig.runner.failsToCollect = () -> launches[0] == 1;
        rig.runner.exhaustsMemoryAtCollect = step -> launches[0] == 3; // the second half, after the first was computed
        for (int i = 0; i < 8; i++) {
            rig.submit(tokens("r" + i, 1, 2, i));
        }
        rig.runDry();
        for (int i = 0; i < 8; i++) {
            assertAnswered(rig, "r" + i, 1, 2, i);
        }
        assertThat(rig.engine.stats().budgetShrinksTotal()).isEqualTo(1);
    }

    private static SchedulerLimits limits(int maxNumSeqs, PrefillMode mode) {
        return new SchedulerLimits(64, maxNumSeqs, 64, 16 * maxNumSeqs, 4, 1, mode);
    }

    private static InferenceRequest tokens(String id, int... ids) {
        return request(
                id,
                Operation.GENERATE,
                new Input.TokenIds(Arrays.stream(ids).boxed().toList()),
                EIGHT);
    }

    private static void assertAnswered(EngineRig rig, String id, int... prompt) {
        assertThat(rig.completion(id)).isInstanceOf(Completed.class);
        Output.Text output = (Output.Text) ((Completed) rig.completion(id)).output();
        assertThat(output.tokenIds()).isEqualTo(Oracle.answer(prompt, id.hashCode(), 8));
    }
}
