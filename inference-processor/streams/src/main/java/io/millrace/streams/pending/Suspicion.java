package io.millrace.streams.pending;

/**
 * How far a prompt is suspected of killing the process that runs it. A kill, a lost node or a rolling deploy proves nothing
 * against a prompt, but a prompt that is always there when a process dies is tried where it does less harm.
 */
public enum Suspicion {
    /** Runs with all others. */
    NONE,
    /** Runs with a few of its kind at a time. */
    QUARANTINED,
    /** Runs when nothing else does. */
    ALONE,
    /** Does not run again: its failure is recorded. */
    CONVICTED;

    /** Whether it runs, but not with all others. */
    public boolean isQuarantine() {
        return this == QUARANTINED || this == ALONE;
    }

    /**
     * Recoveries from which on a prompt is quarantined. In a rolling deploy a prompt that waits is handed on about once,
     * twice where its new owner is the next to go; the third time is one more than bad luck.
     */
    static final int QUARANTINE_RECOVERIES = 3;

    /**
     * Recoveries from which on it runs alone: as many rounds again, each with other neighbours. Whoever is only a
     * neighbour of the culprit has been answered by then, or has been moved on as often as it.
     */
    static final int ALONE_RECOVERIES = 2 * QUARANTINE_RECOVERIES;

    /**
     * Strikes that convict. While one prompt runs alone, for seconds, a process may still be killed for another reason; that
     * this happens to the same prompt three times in a row, and to no other in between, is not believable.
     */
    public static final int MAX_STRIKES = 3;

    /** The suspicion that a prompt's recoveries and strikes make. */
    public static Suspicion of(PendingPrompt prompt) {
        if (prompt.strikes() >= MAX_STRIKES) {
            return CONVICTED;
        }
        if (prompt.strikes() > 0 || prompt.recoveries() >= ALONE_RECOVERIES) {
            return ALONE;
        }
        return prompt.recoveries() >= QUARANTINE_RECOVERIES ? QUARANTINED : NONE;
    }
}
