package io.millrace.llm.scheduler;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * Where a sequence is in its life.
 *
 * <pre>
 *   WAITING ──start──► RUNNING ───────finish───────► FINISHED
 *      │                │   ▲                          ▲  ▲
 *      │            preempt start                      │  │
 *      │                ▼   │                          │  │
 *      │              PREEMPTED ──cancelled, overdue───┘  │
 *      └────────────────cancelled, overdue────────────────┘
 * </pre>
 */
public enum SequenceState {
    /** Queued, never started. */
    WAITING,
    /** Holds a slot and KV blocks. */
    RUNNING,
    /** Lost slot and blocks; queued to compute its tokens again. */
    PREEMPTED,
    /** Done, for whatever reason; holds nothing. */
    FINISHED;

    private static final Map<SequenceState, Set<SequenceState>> NEXT = new EnumMap<>(Map.of(
            WAITING, EnumSet.of(RUNNING, FINISHED),
            RUNNING, EnumSet.of(PREEMPTED, FINISHED),
            PREEMPTED, EnumSet.of(RUNNING, FINISHED),
            FINISHED, EnumSet.noneOf(SequenceState.class)));

    /** Whether the diagram has an arrow from here to there. */
    public boolean mayBecome(SequenceState next) {
        Set<SequenceState> legal = NEXT.get(this);
        return legal != null && legal.contains(next);
    }
}
