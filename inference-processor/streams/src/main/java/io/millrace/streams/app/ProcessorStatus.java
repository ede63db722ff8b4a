package io.millrace.streams.app;

import io.millrace.engine.EngineStats;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.GateLimits;
import java.util.Map;
import java.util.Set;

/**
 * How the application is, for health and gauges. A snapshot.
 *
 * @param closures why nothing is fetched; empty while the gate is open
 * @param pending prompts that have no ending yet, without the paused ones
 * @param pendingBytes their size
 * @param paused prompts that wait for a RESUME
 * @param engines by model name
 */
public record ProcessorStatus(
        State state,
        Set<Closure> closures,
        int pending,
        long pendingBytes,
        int paused,
        GateLimits limits,
        Map<String, EngineStats> engines) {

    /**
     * Phases of the application.
     *
     * <pre>
     *  STARTING ─► RUNNING ◄─► REBALANCING
     *      │          │            │
     *      └──────────┴─────┬──────┘
     *                       ▼
     *                    CLOSING ─► CLOSED      any of the above ─► FAILED
     * </pre>
     */
    public enum State {
        /** Joining the group or restoring for the first time. */
        STARTING,
        /** All tasks run. */
        RUNNING,
        /** Tasks come and go; those that stay go on. */
        REBALANCING,
        /** Finishing what is pending, within the deadline. */
        CLOSING,
        /** Closed on request. */
        CLOSED,
        /** Stopped by an error; a supervisor should start it again. */
        FAILED
    }

    /** Whether the process should be kept. */
    public boolean isLive() {
        return state != State.FAILED && state != State.CLOSED;
    }

    /** Whether prompts are being taken, or only wait because enough are pending or paused. */
    public boolean isReady() {
        boolean up = state == State.RUNNING || state == State.REBALANCING;
        boolean open = closures.stream()
                .map(Closure::reason)
                .allMatch(reason -> reason == Closure.Reason.FULL || reason == Closure.Reason.PAUSED);
        return up && open && engines.values().stream().allMatch(EngineStats::healthy);
    }
}
