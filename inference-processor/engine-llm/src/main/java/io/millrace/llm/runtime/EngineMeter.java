package io.millrace.llm.runtime;

import io.millrace.engine.EngineStats;
import io.millrace.llm.scheduler.Scheduler;

/**
 * Totals since the start.
 *
 * <p>Threads: the engine thread owns it.
 */
final class EngineMeter {

    private long promptTokens;
    private long generationTokens;
    private long steps;
    private long stepSequences;
    private long stepTokens;
    private long busyNanos;

    void collected(StepResult step) {
        busyNanos += step.busyNanos();
        if (step.outcome() == StepResult.Outcome.COMPLETED) {
            steps++;
            stepSequences += step.plan().items().size();
            stepTokens += step.plan().tokenCount();
        }
    }

    void promptTokens(int computed) {
        promptTokens += computed;
    }

    void generatedToken() {
        generationTokens++;
    }

    /** A snapshot; what waits is what waits in the scheduler. */
    EngineStats stats(Scheduler scheduler) {
        return new EngineStats(
                true,
                scheduler.runningCount(),
                scheduler.waitingCount(),
                scheduler.kvCacheUsage(),
                promptTokens,
                generationTokens,
                steps,
                stepSequences,
                stepTokens,
                busyNanos,
                scheduler.preemptions(),
                scheduler.budget().shrinks(),
                scheduler.budget().tokens());
    }
}
