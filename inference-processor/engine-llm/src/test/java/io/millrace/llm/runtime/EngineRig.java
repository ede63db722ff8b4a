package io.millrace.llm.runtime;

import io.millrace.engine.Completion;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Operation;
import io.millrace.engine.Rejection;
import io.millrace.engine.SamplingParameters;
import io.millrace.llm.scheduler.PrefillMode;
import io.millrace.llm.scheduler.SchedulerLimits;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** An engine on a fake device, stepped by the test. */
final class EngineRig {

    static final SchedulerLimits ROOMY = new SchedulerLimits(64, 8, 64, 256, 4, 1, PrefillMode.CHUNKED);

    final ManualClock clock = new ManualClock();
    final FakeRunner runner;
    final LlmEngine engine;
    final Map<String, Completion> completions = new LinkedHashMap<>(); // in the order they came

    EngineRig(int depth, SchedulerLimits limits, int maxWaiting) {
        runner = new FakeRunner(depth, limits);
        EngineBudgets budgets = new EngineBudgets(limits, 0, maxWaiting, 16, List.of());
        ModelInfo model = new ModelInfo("fake", Optional.empty(), Optional.empty(), limits.maxModelLen());
        engine = new LlmEngine(model, new FakeCodec(), runner, budgets, clock);
    }

    EngineRig(int depth) {
        this(depth, ROOMY, 100);
    }

    Optional<Rejection> submit(InferenceRequest request) {
        return engine.submit(request, completion -> {
            if (completions.put(completion.requestId(), completion) != null) {
                throw new AssertionError("completed twice: " + completion);
            }
        });
    }

    /** Runs until nothing is in flight. */
    void runDry() {
        int turns = 0;
        do {
            engine.step();
            clock.advance(1_000_000);
            if (++turns > 100_000) {
                throw new AssertionError("no end: " + engine.stats());
            }
        } while (!engine.isIdle());
    }

    Completion run(InferenceRequest request) {
        submit(request).ifPresent(rejection -> {
            throw new AssertionError(rejection);
        });
        runDry();
        return completion(request.id());
    }

    Completion completion(String id) {
        return Objects.requireNonNull(completions.get(id), id);
    }

    static InferenceRequest request(String id, String prompt, SamplingParameters sampling) {
        return request(id, Operation.GENERATE, new Input.Text(prompt), sampling);
    }

    static InferenceRequest request(String id, Operation operation, Input input, SamplingParameters sampling) {
        return new InferenceRequest(
                id, operation, input, sampling, Optional.empty(), id.hashCode(), 0, "", Optional.empty(), 0);
    }
}
