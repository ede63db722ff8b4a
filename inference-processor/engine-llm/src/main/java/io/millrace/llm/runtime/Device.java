package io.millrace.llm.runtime;

import io.millrace.llm.backend.DeviceOutOfMemoryException;
import io.millrace.llm.backend.StepInput;
import io.millrace.llm.backend.StepOutput;
import io.millrace.llm.backend.StepRunner;
import io.millrace.llm.runtime.StepResult.Computed;
import io.millrace.llm.runtime.StepResult.ItemResult;
import io.millrace.llm.sampler.SampleRequest;
import io.millrace.llm.sampler.SampledToken;
import io.millrace.llm.scheduler.BatchPlan;
import io.millrace.llm.scheduler.Scheduler;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * The step runner as the engine uses it: plans go in, results come out, and {@link #progress} tells what is under way.
 *
 * <p>An {@link OutOfMemoryError} in a step is a {@link DeviceOutOfMemoryException} like the backend's own. The heap's ends a
 * process that runs with {@code -XX:+ExitOnOutOfMemoryError} before anyone could catch it, rightly: a full heap may have
 * broken any thread. What remains is memory outside the heap, and processes without that option.
 *
 * <p>Threads: the engine thread owns it; any thread reads the progress.
 */
final class Device {

    /** In every vocabulary; which one it is does not matter to a probe. */
    private static final int PROBE_TOKEN = 0;

    private static final SampleRequest PROBE_DRAW =
            new SampleRequest(0, 0, 1, 0, 1, new int[0], 0, 1, Optional.empty(), OptionalInt.empty());

    private final StepRunner runner;
    private final Scheduler scheduler;
    private final Requests requests;
    private final EngineClock clock;
    private volatile StepProgress progress;

    Device(StepRunner runner, Scheduler scheduler, Requests requests, EngineClock clock) {
        this.runner = runner;
        this.scheduler = scheduler;
        this.requests = requests;
        this.clock = clock;
        this.progress = StepProgress.none(clock.nanoTime());
    }

    /** What a step needs to know of the requests behind its items. */
    interface Requests {
        String id(BatchPlan.Item item);

        /** How to draw the token after an item. */
        SampleRequest sampleRequest(BatchPlan.Item item);
    }

    /** What is under way, for any thread. */
    StepProgress progress() {
        return progress;
    }

    /** Launches a step. One that throws is not in flight. */
    void launch(BatchPlan plan) {
        progress = progress.launched(plan, requests, clock.nanoTime());
        launch(input(plan, requests::sampleRequest));
    }

    /**
     * Waits for the oldest step in flight.
     *
     * @param plan that step's
     * @return what counts of it
     */
    List<ItemResult> collect(BatchPlan plan) {
        StepOutput output = collect();
        long drawing = plan.items().stream().filter(BatchPlan.Item::draws).count();
        if (output.sampled().size() != drawing) {
            throw new IllegalStateException("sampled=" + output.sampled().size() + ", expected=" + drawing);
        }
        List<ItemResult> results = new ArrayList<>();
        Iterator<SampledToken> sampled = output.sampled().iterator();
        for (BatchPlan.Item item : plan.items()) {
            Optional<SampledToken> token = item.draws() ? Optional.of(sampled.next()) : Optional.empty();
            if (scheduler.collected(item)) {
                results.add(new Computed(item, token));
            }
        }
        return results;
    }

    /** Runs the least of steps, with none in flight and a sequence just requeued. It throws like any step where it fails. */
    void probe() {
        BatchPlan plan = scheduler.planProbe(PROBE_TOKEN);
        try {
            launch(input(plan, item -> PROBE_DRAW));
            collect();
        } finally {
            scheduler.endProbe(plan);
        }
    }

    private void launch(StepInput input) {
        try {
            runner.launch(input);
        } catch (OutOfMemoryError e) {
            throw new DeviceOutOfMemoryException(String.valueOf(e.getMessage()), e);
        }
    }

    /** Waits for the oldest step in flight, whatever it was. */
    StepOutput collect() {
        try {
            StepOutput output = runner.collect();
            progress = progress.collected(clock.nanoTime());
            return output;
        } catch (OutOfMemoryError e) {
            throw new DeviceOutOfMemoryException(String.valueOf(e.getMessage()), e);
        }
    }

    private static StepInput input(BatchPlan plan, Function<BatchPlan.Item, SampleRequest> sampling) {
        List<StepInput.Item> items = new ArrayList<>(plan.items().size());
        for (BatchPlan.Item item : plan.items()) {
            items.add(new StepInput.Item(
                    item.slot(),
                    item.knownTokens(),
                    item.start(),
                    item.count(),
                    item.blockTables(),
                    item.draws() ? Optional.of(sampling.apply(item)) : Optional.empty()));
        }
        return new StepInput(items);
    }
}
