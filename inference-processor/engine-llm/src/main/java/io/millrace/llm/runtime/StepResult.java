package io.millrace.llm.runtime;

import io.millrace.llm.sampler.SampledToken;
import io.millrace.llm.scheduler.BatchPlan;
import java.util.List;
import java.util.Optional;

/**
 * What came of one step.
 *
 * @param launchedNanos when it was launched
 * @param busyNanos time of the device since the step before, or since the launch if that was later
 * @param items what counts: void items, whose sequence finished or was preempted meanwhile, are left out
 */
record StepResult(BatchPlan plan, long launchedNanos, long busyNanos, Outcome outcome, List<ItemResult> items) {

    /** Whether the device did any of it. */
    enum Outcome {
        /** All of it, or what could be saved of it. */
        COMPLETED,
        /** Nothing: its sequences failed, or wait to run again. */
        FAILED
    }

    /** What came of one sequence's part. */
    sealed interface ItemResult {
        BatchPlan.Item item();
    }

    /** Computed, and a token drawn if the item draws one. */
    record Computed(BatchPlan.Item item, Optional<SampledToken> token) implements ItemResult {}

    /** It is at fault: it failed alone, again and again. */
    record Broken(BatchPlan.Item item, RuntimeException cause) implements ItemResult {}
}
