package io.millrace.llm.runtime;

import io.millrace.llm.backend.StepInput;
import io.millrace.llm.backend.StepOutput;
import io.millrace.llm.backend.StepRunner;
import io.millrace.llm.runtime.StepResult.Broken;
import io.millrace.llm.runtime.StepResult.Computed;
import io.millrace.llm.runtime.StepResult.ItemResult;
import io.millrace.llm.sampler.SampleRequest;
import io.millrace.llm.sampler.SampledToken;
import io.millrace.llm.scheduler.BatchPlan;
import io.millrace.llm.scheduler.Scheduler;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps in flight between launch and collect, and what happens when one fails: its sequences run again, each alone, so
 * that only the one at fault is lost.
 *
 * <p>Bound: as many steps as the runner takes, 1 or 2.
 *
 * <p>Threads: the engine thread owns it.
 */
final class StepPipeline {

    private static final Logger log = LoggerFactory.getLogger(StepPipeline.class);

    /** With more, a sequence could have two tokens in flight before a third is scheduled, which a step cannot say. */
    private static final int MAX_DEPTH = 2;

    private final StepRunner runner;
    private final Scheduler scheduler;
    private final Function<BatchPlan.Item, SampleRequest> sampling;
    private final EngineClock clock;
    private final Deque<Launched> inFlight = new ArrayDeque<>(); // oldest first
    private long lastCollectedNanos;

    /**
     * An empty pipeline.
     *
     * @param sampling how to draw the token after an item
     */
    StepPipeline(
            StepRunner runner,
            Scheduler scheduler,
            Function<BatchPlan.Item, SampleRequest> sampling,
            EngineClock clock) {
        if (runner.maxStepsInFlight() < 1 || runner.maxStepsInFlight() > MAX_DEPTH) {
            throw new IllegalArgumentException(
                    "max_steps_in_flight=" + runner.maxStepsInFlight() + ", expected=1 or " + MAX_DEPTH);
        }
        this.runner = runner;
        this.scheduler = scheduler;
        this.sampling = sampling;
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
        return inFlight.size() >= runner.maxStepsInFlight()
                || inFlight.stream().anyMatch(step -> step.launchFailure() != null);
    }

    void launch(BatchPlan plan) {
        long now = clock.nanoTime();
        try {
            runner.launch(input(plan));
            inFlight.addLast(new Launched(plan, now, null));
        } catch (RuntimeException e) {
            inFlight.addLast(new Launched(plan, now, e));
        }
    }

    /** Waits for the oldest step. */
    StepResult collect() {
        Launched step = inFlight.removeFirst();
        List<ItemResult> results = new ArrayList<>();
        try {
            if (step.launchFailure() != null) {
                throw step.launchFailure();
            }
            addResults(step.plan(), runner.collect(), results);
        } catch (RuntimeException e) {
            retryEachAlone(step.plan(), e, results);
        }
        long now = clock.nanoTime();
        long busyNanos = now - Math.max(step.atNanos(), lastCollectedNanos);
        lastCollectedNanos = now;
        return new StepResult(step.plan(), step.atNanos(), busyNanos, results);
    }

    /** Waits for every step in flight and forgets what they did. */
    void abandon() {
        while (!inFlight.isEmpty()) {
            Launched step = inFlight.removeFirst();
            if (step.launchFailure() == null) {
                try {
                    runner.collect();
                } catch (RuntimeException e) {
                    log.warn("a step that was abandoned failed", e);
                }
            }
            step.plan().items().forEach(scheduler::rollBack);
        }
    }

    private void addResults(BatchPlan plan, StepOutput output, List<ItemResult> results) {
        long drawing = plan.items().stream().filter(BatchPlan.Item::draws).count();
        if (output.sampled().size() != drawing) {
            throw new IllegalStateException("sampled=" + output.sampled().size() + ", expected=" + drawing);
        }
        Iterator<SampledToken> sampled = output.sampled().iterator();
        for (BatchPlan.Item item : plan.items()) {
            Optional<SampledToken> token = item.draws() ? Optional.of(sampled.next()) : Optional.empty();
            if (scheduler.collected(item)) {
                results.add(new Computed(item, token));
            }
        }
    }

    /** Steps launched after a failed one built on it: they are forgotten, and their tokens planned again. */
    private void retryEachAlone(BatchPlan failed, RuntimeException cause, List<ItemResult> results) {
        log.warn(
                "a step of {} sequences failed; each runs again alone",
                failed.items().size(),
                cause);
        abandon();
        failed.items().forEach(scheduler::rollBack);
        for (BatchPlan.Item item : failed.items()) {
            if (scheduler.isCurrent(item)) {
                retryAlone(item, results);
            }
        }
    }

    private void retryAlone(BatchPlan.Item item, List<ItemResult> results) {
        BatchPlan alone = scheduler.planAlone(item.sequence(), item.count());
        try {
            runner.launch(input(alone));
            addResults(alone, runner.collect(), results);
        } catch (RuntimeException e) {
            results.add(new Broken(item, e));
        }
    }

    private StepInput input(BatchPlan plan) {
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
