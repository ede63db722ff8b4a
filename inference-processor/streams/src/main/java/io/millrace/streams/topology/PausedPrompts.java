package io.millrace.streams.topology;

import io.millrace.streams.gate.Gate;
import io.millrace.streams.intake.Work;
import io.millrace.streams.pending.PendingCodec;
import io.millrace.streams.pending.PendingKey;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What of a task's prompts counts as paused with the gate, not as pending: those that are held, and those that wait behind
 * one that is held for their turn.
 *
 * <p>Threads: the task's stream thread only. Bound: the task's pending prompts.
 */
final class PausedPrompts {

    private final Gate.Load load;
    private final KeyOrder<Work> order;

    /** Held, by whose pause. */
    private final Map<PendingKey, String> held = new HashMap<>();

    private final Set<PendingKey> counted = new HashSet<>();

    PausedPrompts(Gate.Load load, KeyOrder<Work> order) {
        this.load = load;
        this.order = order;
    }

    /** A prompt has come that waits behind another of its key. */
    void entered(Work work) {
        order.first(work.prompt().key()).map(first -> held.get(first.key())).ifPresent(by -> count(work, by));
    }

    /** It is held, and all behind it with it. */
    void pause(Work work, String by) {
        held.put(work.key(), by);
        count(work, by);
        order.behind(work.prompt().key()).forEach(behind -> count(behind, by));
    }

    /** It is held no more. Does nothing where it is not held. */
    void resume(Work work) {
        if (held.remove(work.key()) != null) {
            countNoMore(work);
            order.behind(work.prompt().key()).forEach(this::countNoMore);
        }
    }

    private void count(Work work, String by) {
        if (counted.add(work.key())) {
            load.pause(PendingCodec.sizeBytes(work.prompt()), by);
        }
    }

    private void countNoMore(Work work) {
        if (counted.remove(work.key())) {
            load.resume(PendingCodec.sizeBytes(work.prompt()));
        }
    }
}
