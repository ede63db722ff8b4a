package io.millrace.llm.runtime;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Rejection;
import io.millrace.llm.backend.StepInput;
import io.millrace.llm.backend.StepOutput;
import io.millrace.llm.backend.StepRunner;
import io.millrace.llm.scheduler.SchedulerLimits;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.function.LongSupplier;

/**
 * The real engine on {@link FakeRunner}, stepped by its caller in virtual time: for simulations outside of this package.
 * Token ids are 0 to 26.
 *
 * <p>Threads: one.
 */
public final class SteppedEngine implements InferenceEngine {

    /** What time 0 of the virtual clock is. */
    public static final Instant EPOCH = ManualClock.EPOCH;

    /** A prompt with this token in it fails its steps. */
    public static final int POISON = FakeRunner.POISON;

    /** A step that begins a prompt with this token ends the process. It must not be elsewhere in a prompt. */
    public static final int KILLER = FakeRunner.POISON - 1;

    private final LlmEngine engine;
    private final FakeRunner runner;
    private int inFlight;

    /**
     * What goes wrong with steps.
     *
     * @param failsToLaunch asked before each launch; true: it throws, though no prompt is at fault
     * @param failsToCollect the same of a step's end
     * @param exhaustsMemory asked with the number of tokens of each step
     * @param killed told of a step that ends the process; it throws
     */
    public record Faults(
            BooleanSupplier failsToLaunch,
            BooleanSupplier failsToCollect,
            IntPredicate exhaustsMemory,
            Runnable killed) {}

    /**
     * An engine that has done nothing.
     *
     * @param depth steps in flight, 1 or 2
     * @param nanos the virtual clock
     */
    public SteppedEngine(
            String name, int depth, SchedulerLimits limits, int maxWaiting, LongSupplier nanos, Faults faults) {
        runner = new FakeRunner(depth, limits);
        // far enough apart that each sequence draws a token in between: who fails alone twice without one is at fault
        runner.failsToLaunch = () -> mayFail(limits) && faults.failsToLaunch().getAsBoolean();
        runner.failsToCollect = () -> mayFail(limits) && faults.failsToCollect().getAsBoolean();
        runner.exhaustsMemoryAtLaunch =
                step -> step.tokenCount() > 1 && faults.exhaustsMemory().test(step.tokenCount());
        runner.exhaustsMemoryAtCollect = runner.exhaustsMemoryAtLaunch;
        engine = new LlmEngine(
                new ModelInfo(name, Optional.empty(), Optional.empty(), limits.maxModelLen()),
                new FakeCodec(),
                new Killable(runner, faults.killed()),
                new EngineBudgets(limits, 0, maxWaiting, 16, List.of()),
                new VirtualClock(nanos));
    }

    private boolean mayFail(SchedulerLimits limits) {
        return runner.launchesSinceFailure > 2 * (limits.maxModelLen() + limits.maxNumSeqs());
    }

    /** The text that a prompt is answered with, whoever answers it: at most {@code count} tokens. */
    public static String answer(int[] prompt, long seed, int count) {
        return Oracle.text(Oracle.answer(prompt, seed, count, 0, true));
    }

    /** One turn of the engine's loop. */
    public void step() {
        engine.step();
    }

    /** Whether a step would do nothing. */
    public boolean isIdle() {
        return inFlight == 0 && engine.isIdle();
    }

    @Override
    public ModelInfo model() {
        return engine.model();
    }

    @Override
    public Optional<Rejection> submit(InferenceRequest request, Consumer<? super Completion> onCompletion) {
        Optional<Rejection> rejection = engine.submit(request, completion -> {
            inFlight--;
            onCompletion.accept(completion);
        });
        if (rejection.isEmpty()) {
            inFlight++;
        }
        return rejection;
    }

    @Override
    public void cancel(String requestId) {
        engine.cancel(requestId);
    }

    @Override
    public void setPriority(String requestId, int priority) {
        engine.setPriority(requestId, priority);
    }

    @Override
    public int generatedTokens(String requestId) {
        return engine.generatedTokens(requestId);
    }

    @Override
    public EngineStats stats() {
        return engine.stats();
    }

    @Override
    public void close() {
        engine.close();
    }

    private record VirtualClock(LongSupplier nanos) implements EngineClock {

        @Override
        public long nanoTime() {
            return nanos.getAsLong();
        }

        @Override
        public Instant now() {
            return EPOCH.plusNanos(nanos.getAsLong());
        }
    }

    /** A device on which some prompts are fatal to the process. */
    private record Killable(StepRunner runner, Runnable killed) implements StepRunner {

        @Override
        public int maxStepsInFlight() {
            return runner.maxStepsInFlight();
        }

        @Override
        public void launch(StepInput step) {
            for (StepInput.Item item : step.items()) {
                if (item.start() == 0 && item.tokens()[0] == KILLER) {
                    killed.run();
                }
            }
            runner.launch(step);
        }

        @Override
        public StepOutput collect() {
            return runner.collect();
        }

        @Override
        public void close() {
            runner.close();
        }
    }
}
