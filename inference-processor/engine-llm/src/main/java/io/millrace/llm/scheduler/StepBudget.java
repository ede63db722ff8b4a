package io.millrace.llm.scheduler;

/**
 * What a step may be at most right now: what is configured, or less since memory was exhausted. Each exhaustion halves it;
 * steps without one double it again, up to what is configured.
 *
 * <p>Growth takes {@value #FIRST_CLEAN_STEPS} steps after the first exhaustion and twice as many after each further one, up to
 * {@value #MOST_CLEAN_STEPS}: a sequence that exhausts memory at some length, whatever the budget, thus meets smaller budgets each
 * time it comes there, and in the end the smallest, where it is found out.
 *
 * <p>Threads: the engine thread owns it.
 */
public final class StepBudget {

    static final int FIRST_CLEAN_STEPS = 64;
    static final int MOST_CLEAN_STEPS = 65_536;

    private final int mostTokens;
    private final int mostSequences;
    private int tokens;
    private int sequences;
    private int cleanSteps; // since the last change
    private int cleanStepsToGrow = FIRST_CLEAN_STEPS;
    private long shrinks;

    StepBudget(SchedulerLimits limits) {
        mostTokens = limits.maxNumBatchedTokens();
        mostSequences = limits.maxNumSeqs();
        tokens = mostTokens;
        sequences = mostSequences;
    }

    /** Tokens of a step, at least {@link #sequences}. */
    public int tokens() {
        return tokens;
    }

    /** Sequences that run at once, at least 1. */
    int sequences() {
        return sequences;
    }

    /** Times it shrank. */
    public long shrinks() {
        return shrinks;
    }

    /** Whether it is what is configured. */
    boolean isWhole() {
        return tokens == mostTokens && sequences == mostSequences;
    }

    /** Whether a step is one token of one sequence. */
    public boolean isSmallest() {
        return tokens == 1;
    }

    /** Memory was exhausted. Whoever calls has requeued what runs: it may be more than runs from now on. */
    public void shrink() {
        tokens = Math.max(1, tokens / 2);
        sequences = Math.max(1, sequences / 2);
        cleanSteps = 0;
        if (shrinks++ > 0) {
            cleanStepsToGrow = Math.min(MOST_CLEAN_STEPS, 2 * cleanStepsToGrow);
        }
    }

    /** A step did not exhaust memory. */
    public void stepCompleted() {
        if (isWhole() || ++cleanSteps < cleanStepsToGrow) {
            return;
        }
        cleanSteps = 0;
        tokens = (int) Math.min(mostTokens, 2L * tokens);
        sequences = (int) Math.min(Math.min(mostSequences, 2L * sequences), tokens);
    }
}
