package io.millrace.engine;

/**
 * A snapshot of an engine. Totals count from its start.
 *
 * @param healthy whether steps complete (or the server answers)
 * @param running requests that hold KV blocks, or are in flight to a server
 * @param waiting requests that wait for a place in the batch
 * @param kvCacheUsage fraction of KV blocks in use, 0 to 1
 * @param promptTokensTotal prompt tokens computed
 * @param generationTokensTotal tokens generated
 * @param stepsTotal steps completed
 * @param stepSequencesTotal sequences, summed over steps
 * @param stepTokensTotal tokens, summed over steps
 * @param busyNanosTotal nanoseconds spent in steps
 * @param preemptionsTotal preemptions
 * @param budgetShrinksTotal times the step's token budget shrank because memory was exhausted
 * @param tokenBudget most tokens of a step now; less than configured after memory was exhausted; 0 where there is no such budget
 */
public record EngineStats(
        boolean healthy,
        int running,
        int waiting,
        double kvCacheUsage,
        long promptTokensTotal,
        long generationTokensTotal,
        long stepsTotal,
        long stepSequencesTotal,
        long stepTokensTotal,
        long busyNanosTotal,
        long preemptionsTotal,
        long budgetShrinksTotal,
        int tokenBudget) {}
