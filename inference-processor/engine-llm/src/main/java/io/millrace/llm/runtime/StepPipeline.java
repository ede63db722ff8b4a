package io.millrace.llm.runtime;

import io.millrace.llm.runtime.StepResult.Computed;
import io.millrace.llm.runtime.StepResult.ItemResult;
import io.millrace.llm.runtime.StepResult.Outcome;
import io.millrace.llm.scheduler.BatchPlan;
import io.millrace.llm.scheduler.Scheduler;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps in flight between launch and collect. Where one fails, {@link StepFaults} saves what can be saved.
 *
 * <p>Bound: as many steps as the runner takes, 1 or 2.
 *
 * <p>Threads: the engine thread owns it.
 */
final class StepPipeline {

    private static final Logger log = LoggerFactory.getLogger(StepPipeline.class);

    /** With more, a sequence could have two tokens in flight before a third is scheduled, which a step cannot say. */
    private static final int MAX_DEPTH = 2;

    private final int depth;
    private final Device device;
    private final Scheduler scheduler;
    private final StepFaults faults;
    private final EngineClock clock;
    private final Deque<Launched> inFlight = new ArrayDeque<>(); // oldest first
    private long lastCollectedNanos;

    /**
     * An empty pipeline.
     *
     * @param depth steps that the device takes at once
     */
    StepPipeline(int depth, Device device, Scheduler scheduler, EngineClock clock) {
        if (depth < 1 || depth > MAX_DEPTH) {
            throw new IllegalArgumentException("max_steps_in_flight=" + depth + ", expected=1 or " + MAX_DEPTH);
        }
        this.depth = depth;
        this.device = device;
        this.scheduler = scheduler;
        this.faults = new StepFaults(device, scheduler);
        this.clock = clock;
        this.lastCollectedNanos = clock.nanoTime();
    }

    /**
     * A step under way.
     *
     * @param launchFailure why its launch failed; it is dealt with in its turn, after the steps before it
     */
    private record Launched(
            BatchPlan plan, long atNanos, @Nullable RuntimeException launchFailure) {}

    boolean isEmpty() {
        return inFlight.isEmpty();
    }

    /** Whether the oldest step is to be collected before another is launched. */
    boolean isFull() {
        return inFlight.size() >= depth || inFlight.stream().anyMatch(step -> step.launchFailure() != null);
    }

    void launch(BatchPlan plan) {
        long now = clock.nanoTime();
        try {
            device.launch(plan);
            inFlight.addLast(new Launched(plan, now, null));
        } catch (RuntimeException e) {
            inFlight.addLast(new Launched(plan, now, e));
        }
    }

    /** Waits for the oldest step. */
    StepResult collect() {
        Launched step = inFlight.removeFirst();
        List<ItemResult> results;
        Outcome outcome = Outcome.COMPLETED;
        try {
            if (step.launchFailure() != null) {
                throw step.launchFailure();
            }
            results = device.collect(step.plan());
            faults.stepCompleted();
        } catch (RuntimeException e) {
            abandon(); // later steps built on this one: their tokens are planned again
            results = faults.resolve(step.plan(), e);
            outcome = results.stream().anyMatch(Computed.class::isInstance) ? Outcome.COMPLETED : Outcome.FAILED;
        }
        long now = clock.nanoTime();
        long busyNanos = now - Math.max(step.atNanos(), lastCollectedNanos);
        lastCollectedNanos = now;
        return new StepResult(step.plan(), step.atNanos(), busyNanos, outcome, results);
    }

    /** Waits for every step in flight and forgets what they did. */
    void abandon() {
        while (!inFlight.isEmpty()) {
            Launched step = inFlight.removeFirst();
            if (step.launchFailure() == null) {
                try {
                    device.collect();
                } catch (RuntimeException e) {
                    log.warn("a step that was abandoned failed", e);
                }
            }
            step.plan().items().forEach(scheduler::rollBack);
        }
    }
}
