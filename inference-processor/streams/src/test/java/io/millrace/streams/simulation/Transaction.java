package io.millrace.streams.simulation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One transaction as its coordinator sees it.
 *
 * <pre>
 *   OPEN ──► COMMITTING ──► COMMITTED      the outcome is decided at the first arrow; each partition
 *     └────► ABORTING ────► ABORTED        learns of it by a marker, one after another, in any order
 * </pre>
 */
final class Transaction {

    enum State {
        OPEN,
        COMMITTING,
        COMMITTED,
        ABORTING,
        ABORTED
    }

    final String id;
    final long startedNanos;

    /** Offsets that come with it, by input partition. */
    final Map<Integer, Long> offsets = new LinkedHashMap<>();

    private final List<Log> logs = new ArrayList<>(); // those without a marker
    private boolean hasOffsets;
    private State state = State.OPEN;

    Transaction(String id, long startedNanos) {
        this.id = id;
        this.startedNanos = startedNanos;
    }

    State state() {
        return state;
    }

    boolean isDecided() {
        return state != State.OPEN;
    }

    boolean isOver() {
        return state == State.COMMITTED || state == State.ABORTED;
    }

    boolean isCommitted() {
        return state == State.COMMITTING || state == State.COMMITTED;
    }

    boolean hasEndedIn(Log log) {
        return isDecided() && !logs.contains(log);
    }

    /** Whether offsets wait for its end. */
    boolean holdsOffsets() {
        return hasOffsets;
    }

    void touch(Log log) {
        if (!logs.contains(log)) {
            logs.add(log);
        }
    }

    void touchOffsets() {
        hasOffsets = true;
    }

    void decide(boolean commit) {
        if (state != State.OPEN) {
            throw new AssertionError("transaction " + id + " state=" + state + ", expected=" + State.OPEN);
        }
        state = commit ? State.COMMITTING : State.ABORTING;
    }

    /**
     * Writes one more marker.
     *
     * @return the offsets to apply, if the marker is that of the offsets and the transaction commits
     */
    @Nullable
    Map<Integer, Long> writeMarker(Randomness random) {
        int left = logs.size() + (hasOffsets ? 1 : 0);
        int choice = left == 0 ? 0 : random.below(left);
        Map<Integer, Long> apply = null;
        if (choice < logs.size()) {
            logs.remove(choice);
        } else if (hasOffsets) {
            hasOffsets = false;
            apply = state == State.COMMITTING ? offsets : null;
        }
        if (logs.isEmpty() && !hasOffsets) {
            state = state == State.COMMITTING ? State.COMMITTED : State.ABORTED;
        }
        return apply;
    }
}
