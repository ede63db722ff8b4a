package io.millrace.echo;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;

/** Totals. Guarded by its engine's lock. */
final class EchoMeter {

    private long promptTokens;
    private long generatedTokens;
    private long steps;
    private long stepSequences;
    private long busyNanos;
    private long lastStepNanos;

    /** A look at the clock, with so many requests running since the last one. */
    void step(long nowNanos, int running) {
        if (running > 0) {
            steps++;
            stepSequences += running;
            busyNanos += nowNanos - lastStepNanos;
        }
        lastStepNanos = nowNanos;
    }

    void ended(Completion.Usage usage) {
        promptTokens += usage.promptTokens();
        generatedTokens += usage.completionTokens();
    }

    EngineStats stats(boolean healthy, int running, int waiting) {
        return new EngineStats(
                healthy,
                running,
                waiting,
                0,
                promptTokens,
                generatedTokens,
                steps,
                stepSequences,
                promptTokens + generatedTokens,
                busyNanos,
                0,
                0,
                0);
    }
}
