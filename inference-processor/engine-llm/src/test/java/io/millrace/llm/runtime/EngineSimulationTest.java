package io.millrace.llm.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.EngineStats;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.SamplingParameters;
import io.millrace.llm.backend.StepFailedException;
import io.millrace.llm.backend.StepInput;
import io.millrace.llm.scheduler.PrefillMode;
import io.millrace.llm.scheduler.SchedulerLimits;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Random workloads on random engines, one thread, virtual time. {@link FakeRunner} holds each plan to its budgets and each block
 * to one owner; here each request must complete exactly once, with the tokens that it gets with infinite resources.
 */
class EngineSimulationTest {

    private static final int RUNS = Integer.getInteger("millrace.simulation.runs", 2_000);

    @Test
    void shouldAnswerEachRequestOnceAsWithInfiniteResourcesWhateverHappens() {
        long firstSeed = Long.getLong("millrace.simulation.seed", 1);
        long preemptions = 0;
        int completed = 0;
        int failed = 0;
        int stopped = 0;
        long shrinks = 0;
        for (long seed = firstSeed; seed < firstSeed + RUNS; seed++) {
            Simulation simulation = new Simulation(seed);
            try {
                simulation.run();
            } catch (Throwable e) {
                throw new AssertionError("-Dmillrace.simulation.runs=1 -Dmillrace.simulation.seed=" + seed, e);
            }
            preemptions += simulation.rig.engine.stats().preemptionsTotal();
            shrinks += simulation.rig.engine.stats().budgetShrinksTotal();
            stopped += simulation.stopped ? 1 : 0;
            for (Completion completion : simulation.rig.completions.values()) {
                completed += completion instanceof Completed ? 1 : 0;
                failed += completion instanceof Failed ? 1 : 0;
            }
        }
        assertThat(preemptions).as("the workloads reach preemption").isGreaterThan(RUNS / 4);
        assertThat(shrinks).as("the workloads exhaust memory").isGreaterThan(RUNS / 4);
        assertThat(stopped).as("devices break for good").isBetween(RUNS / 100, RUNS / 10);
        assertThat(completed).as("most requests are answered").isGreaterThan(failed);
        assertThat(failed).as("the workloads reach failures").isGreaterThan(RUNS / 10);
    }

    private static final class Simulation {
        private final Random random;
        private final SchedulerLimits limits;
        private final EngineRig rig;
        private final Deque<InferenceRequest> toCome = new ArrayDeque<>();
        private final List<InferenceRequest> accepted = new ArrayList<>();
        private final Set<String> cancelled = new HashSet<>();
        private final boolean cancels;
        private final boolean reprioritizes;
        private boolean outages;
        private int launches;
        private int outageFrom = 20;
        private int outageTo = 20;
        private int breaksAt = Integer.MAX_VALUE;
        private int memoryTokens = 1;
        private boolean stopped;

        Simulation(long seed) {
            random = new Random(seed);
            limits = limits();
            rig = new EngineRig(1 + random.nextInt(2), limits, 1 + random.nextInt(20));
            cancels = random.nextInt(3) == 0;
            reprioritizes = random.nextInt(3) == 0;
            rig.runner.onLaunch = this::launched;
            if (random.nextInt(3) == 0) {
                outages = true;
                breaksAt = random.nextInt(10) == 0 ? random.nextInt(100) : Integer.MAX_VALUE;
                rig.runner.failsToLaunch = () -> down() && random.nextInt(3) == 0;
                rig.runner.failsToCollect = this::down;
            }
            if (random.nextInt(3) == 0) {
                rig.runner.exhaustsMemoryAtLaunch = step -> step.tokenCount() > memoryTokens && random.nextInt(3) == 0;
                rig.runner.exhaustsMemoryAtCollect = step -> step.tokenCount() > memoryTokens;
            }
            int requests = 1 + random.nextInt(30);
            for (int i = 0; i < requests; i++) {
                toCome.add(request("r" + i));
            }
        }

        private SchedulerLimits limits() {
            int blockSize = 1 + random.nextInt(8);
            int maxModelLen = 4 + random.nextInt(60);
            int maxNumSeqs = 1 + random.nextInt(8);
            int numBlocks = Math.ceilDiv(maxModelLen, blockSize) + random.nextInt(20);
            PrefillMode mode = random.nextInt(4) == 0 ? PrefillMode.WHOLE : PrefillMode.CHUNKED;
            int least = mode == PrefillMode.WHOLE ? Math.max(maxModelLen, maxNumSeqs) : maxNumSeqs;
            return new SchedulerLimits(
                    least + random.nextInt(30),
                    maxNumSeqs,
                    maxModelLen,
                    numBlocks,
                    blockSize,
                    1 + random.nextInt(2),
                    mode);
        }

        private InferenceRequest request(String id) {
            int[] prompt = new int[1 + random.nextInt(limits.maxModelLen() - 1)];
            for (int i = 0; i < prompt.length; i++) {
                prompt[i] = random.nextInt(FakeRunner.POISON);
            }
            if (random.nextInt(40) == 0) {
                prompt[random.nextInt(prompt.length)] = FakeRunner.POISON;
            }
            int maxTokens = 1 + random.nextInt(40);
            SamplingParameters sampling = SamplingParameters.builder()
                    .maxTokens(maxTokens)
                    .minTokens(random.nextInt(maxTokens + 1))
                    .ignoreEos(random.nextBoolean())
                    .repetitionPenalty(random.nextBoolean() ? 1 : 1.5)
                    .build();
            Optional<Instant> deadline = random.nextInt(10) == 0
                    ? Optional.of(ManualClock.EPOCH.plusMillis(random.nextInt(100)))
                    : Optional.empty();
            return new InferenceRequest(
                    id,
                    Operation.GENERATE,
                    new Input.TokenIds(Arrays.stream(prompt).boxed().toList()),
                    sampling,
                    Optional.empty(),
                    random.nextLong(),
                    random.nextInt(3),
                    "tenant" + random.nextInt(3),
                    deadline,
                    0);
        }

        private void launched(StepInput step) {
            assertThat(step.tokenCount()).isLessThanOrEqualTo(rig.engine.stats().tokenBudget());
            launches++;
            if (random.nextInt(50) == 0) {
                memoryTokens = 1 + random.nextInt(limits.maxNumBatchedTokens());
            }
            // far enough apart that each sequence draws a token in between: who fails alone twice without one is at
            // fault
            if (outages && launches > outageTo + 2 * limits.maxModelLen() && random.nextInt(20) == 0) {
                outageFrom = launches;
                outageTo = outageFrom + random.nextInt(2 * limits.maxNumSeqs() + 2);
            }
        }

        /** Outages that come and go, or come to stay. */
        private boolean down() {
            return (launches >= outageFrom && launches < outageTo) || launches >= breaksAt;
        }

        void run() {
            int turns = 0;
            while (!stopped && (!toCome.isEmpty() || !rig.engine.isIdle())) {
                arrive();
                cancelSome();
                reprioritizeSome();
                step();
                rig.clock.advance(1_000_000);
                if (++turns > 20_000) {
                    throw new AssertionError("no end: " + rig.engine.stats());
                }
            }
            if (!stopped) {
                rig.engine.step();
            }
            check();
        }

        private void step() {
            try {
                rig.engine.step();
            } catch (StepFailedException e) {
                assertThat(down()).as("stopped for a device that works").isTrue();
                stopped = true;
            }
        }

        private void arrive() {
            while (!toCome.isEmpty() && random.nextInt(3) > 0) {
                InferenceRequest next = toCome.removeFirst();
                if (rig.submit(next).isEmpty()) {
                    accepted.add(next);
                } else {
                    toCome.addFirst(next);
                    return;
                }
            }
        }

        private void cancelSome() {
            if (cancels && !accepted.isEmpty() && random.nextInt(10) == 0) {
                String id = accepted.get(random.nextInt(accepted.size())).id();
                rig.engine.cancel(id);
                cancelled.add(id);
            }
        }

        private void reprioritizeSome() {
            if (reprioritizes && !accepted.isEmpty() && random.nextInt(5) == 0) {
                rig.engine.setPriority(
                        accepted.get(random.nextInt(accepted.size())).id(), random.nextInt(4));
            }
        }

        private void check() {
            if (stopped) {
                accepted.stream()
                        .filter(r -> rig.completions.containsKey(r.id()))
                        .forEach(this::check);
                return;
            }
            assertThat(rig.completions).hasSameSizeAs(accepted);
            accepted.forEach(this::check);
            EngineStats stats = rig.engine.stats();
            assertThat(stats.kvCacheUsage()).isZero();
            assertThat(stats.running()).isZero();
            assertThat(stats.waiting()).isZero();
        }

        private void check(InferenceRequest request) {
            List<Integer> prompt = ((Input.TokenIds) request.input()).ids();
            boolean poisoned = prompt.contains(FakeRunner.POISON);
            switch (rig.completion(request.id())) {
                case Completed completed -> {
                    assertThat(poisoned).as("a poisoned prompt is answered").isFalse();
                    checkAnswer(request, completed);
                }
                case Failed failed -> {
                    switch (failed.code()) {
                        case CANCELLED -> assertThat(cancelled).contains(request.id());
                        case DEADLINE_EXCEEDED -> assertThat(request.deadline()).isPresent();
                        case ENGINE_ERROR ->
                            assertThat(poisoned).as("failed without poison").isTrue();
                        default -> throw new AssertionError(failed);
                    }
                    checkPartial(request, failed);
                }
            }
        }

        private List<Integer> expected(InferenceRequest request) {
            int[] prompt = ((Input.TokenIds) request.input())
                    .ids().stream().mapToInt(id -> id).toArray();
            SamplingParameters sampling = request.sampling();
            int room = limits.maxModelLen() - prompt.length;
            int count = Math.min(room, sampling.maxTokens().orElseThrow());
            return Oracle.answer(prompt, request.seed(), count, sampling.minTokens(), !sampling.ignoreEos());
        }

        private void checkAnswer(InferenceRequest request, Completed completed) {
            List<Integer> expected = expected(request);
            Output.Text output = (Output.Text) completed.output();
            assertThat(output.tokenIds()).isEqualTo(expected);
            assertThat(output.text()).isEqualTo(Oracle.text(expected));
            boolean ended = !request.sampling().ignoreEos() && expected.getLast() == FakeCodec.END;
            assertThat(completed.finishReason()).isEqualTo(ended ? FinishReason.STOP : FinishReason.LENGTH);
        }

        private void checkPartial(InferenceRequest request, Failed failed) {
            if (failed.code() != FailureCode.ENGINE_ERROR) {
                String whole = Oracle.text(expected(request));
                assertThat(whole).startsWith(failed.partialText().orElse(""));
            }
        }
    }
}
