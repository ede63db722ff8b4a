package io.millrace.llm.runtime;

import io.millrace.engine.EngineContract;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Operation;
import io.millrace.engine.SamplingParameters;
import io.millrace.llm.backend.StepInput;
import io.millrace.llm.backend.StepOutput;
import io.millrace.llm.backend.StepRunner;
import io.millrace.llm.sampler.SampledToken;
import io.millrace.llm.scheduler.PrefillMode;
import io.millrace.llm.scheduler.SchedulerLimits;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

class LlmEngineContractTest extends EngineContract {

    private static final int BLOCK_SIZE = 256;
    private static final int MAX_MODEL_LEN = 1 << 20; // no test lasts so many steps

    @Override
    protected Rig open(int maxRunning, int maxWaiting) {
        SchedulerLimits limits = new SchedulerLimits(
                64,
                maxRunning,
                MAX_MODEL_LEN,
                maxRunning * MAX_MODEL_LEN / BLOCK_SIZE,
                BLOCK_SIZE,
                1,
                PrefillMode.CHUNKED);
        return new EndlessRig(limits, maxWaiting);
    }

    @Override
    protected InferenceRequest wrong(String id) {
        return EngineRig.request(id, Operation.EMBED, new Input.Text("abc"), SamplingParameters.DEFAULT);
    }

    @Override
    protected int maxTokens() {
        return MAX_MODEL_LEN / 2;
    }

    private static final class EndlessRig implements Rig {
        private final EndlessRunner runner = new EndlessRunner();
        private final LlmEngine engine;

        EndlessRig(SchedulerLimits limits, int maxWaiting) {
            engine = new LlmEngine(
                    new ModelInfo("fake", Optional.empty(), Optional.empty(), limits.maxModelLen()),
                    new FakeCodec(),
                    runner,
                    new EngineBudgets(limits, 0, maxWaiting, 16, List.of()),
                    EngineClock.SYSTEM);
            engine.start();
        }

        @Override
        public InferenceEngine engine() {
            return engine;
        }

        @Override
        public void release() {
            runner.released = true;
        }

        @Override
        public void close() {
            engine.close();
        }
    }

    /** Draws letters, one step a millisecond, until it is released; then each answer ends. */
    private static final class EndlessRunner implements StepRunner {
        private final ArrayDeque<StepInput> inFlight = new ArrayDeque<>();
        private volatile boolean released;

        @Override
        public int maxStepsInFlight() {
            return 2;
        }

        @Override
        public void launch(StepInput step) {
            inFlight.add(step);
        }

        @Override
        public StepOutput collect() {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            return new StepOutput(inFlight.remove().items().stream()
                    .filter(item -> item.sample().isPresent())
                    .map(item -> new SampledToken(released && item.start() > 0 ? FakeCodec.END : 1, Optional.empty()))
                    .toList());
        }

        @Override
        public void close() {
            inFlight.clear();
        }
    }
}
