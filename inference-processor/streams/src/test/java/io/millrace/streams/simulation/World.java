package io.millrace.streams.simulation;

import java.util.ArrayList;
import java.util.List;

/**
 * Virtual time and whose turn it is. One actor at a time takes a step; which one is drawn among all that can.
 *
 * <p>Code that runs in a step can be interrupted at each {@link #pausePoint}: the others go on while it stands there, it is
 * stopped with its whole process, or the process ends there. The others run nested, on top of its stack, so of two that stand
 * in the middle of a step the later one goes on first. Between steps any order is possible.
 */
final class World {

    private static final int MAX_DEPTH = 4;
    private static final int MAX_STEP_NANOS = 150_000;

    final Randomness random;
    final Trace trace = new Trace();
    private final List<Actor> actors = new ArrayList<>();
    private final List<Actor> ready = new ArrayList<>();
    private long nanos = 1_000_000;
    private long steps;
    private int depth;

    /** What may happen to a process in the middle of a step. */
    interface Interruptions {

        /**
         * Told that a thread of this process is at a place.
         *
         * @return how long it stands there, nanoseconds; 0: not at all
         */
        long at(Host host, String place);
    }

    private Interruptions interruptions = (host, place) -> 0;

    World(long seed) {
        random = new Randomness(seed);
    }

    long nanos() {
        return nanos;
    }

    long steps() {
        return steps;
    }

    void interruptions(Interruptions interruptions) {
        this.interruptions = interruptions;
    }

    void add(Actor actor) {
        actors.add(actor);
    }

    /** @param details immutable, and with the same hash in each JVM */
    void note(String actor, String what, Object... details) {
        trace.add(nanos, actor, what, details);
    }

    /** Forgets the threads of processes that are no more. */
    void removeDead() {
        actors.removeIf(actor -> actor.host != null && !actor.host.isAlive());
    }

    /** Lets one actor take one step, in a later time if none can now; false: none ever can. */
    boolean turn() {
        long next = gatherReady();
        if (ready.isEmpty()) {
            if (next == Actor.NEVER) {
                return false;
            }
            nanos = next;
            gatherReady();
        }
        Actor actor = ready.get(random.below(ready.size()));
        nanos += random.below(MAX_STEP_NANOS);
        steps++;
        actor.inStep = true;
        try {
            actor.step();
        } catch (Killed e) {
            if (actor.host == null || actor.host.isAlive()) {
                throw new AssertionError("killed, expected=a process that was killed: " + actor.name, e);
            }
        } finally {
            actor.inStep = false;
        }
        return true;
    }

    /** Those that can run now are in {@code ready}; answers when the next of the others can. */
    private long gatherReady() {
        ready.clear();
        long next = Actor.NEVER;
        for (int i = 0; i < actors.size(); i++) {
            Actor actor = actors.get(i);
            Host host = actor.host;
            if (actor.inStep || (host != null && !host.isAlive())) {
                continue;
            }
            long wakeAt = actor.wakeAtNanos();
            if (wakeAt != Actor.NEVER && host != null) {
                wakeAt = Math.max(wakeAt, host.stoppedUntilNanos);
            }
            if (wakeAt <= nanos) {
                ready.add(actor);
            } else {
                next = Math.min(next, wakeAt);
            }
        }
        return next;
    }

    /** A thread of a process is here: the others may go on before it does, and the process may end here. */
    void pausePoint(Host host, String place) {
        if (!host.isAlive()) {
            throw new Killed();
        }
        if (depth >= MAX_DEPTH) {
            return;
        }
        long pause = interruptions.at(host, place);
        if (!host.isAlive()) {
            throw new Killed();
        }
        if (pause > 0) {
            wait(host, nanos + pause);
        }
    }

    /** A thread of a process blocks until then. Others run meanwhile, unless too many are blocked already. */
    void wait(Host host, long untilNanos) {
        depth++;
        try {
            while (nanos < Math.max(untilNanos, host.stoppedUntilNanos) && depth <= MAX_DEPTH && host.isAlive()) {
                if (!turn()) {
                    break;
                }
            }
        } finally {
            depth--;
        }
        if (!host.isAlive()) {
            throw new Killed();
        }
    }
}
