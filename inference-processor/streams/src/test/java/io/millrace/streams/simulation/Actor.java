package io.millrace.streams.simulation;

import org.jspecify.annotations.Nullable;

/** Something that runs on its own: a thread of a process, the brokers, the faults. */
abstract class Actor {

    /** Never again, as far as is known now. */
    static final long NEVER = Long.MAX_VALUE;

    final String name;

    /** Whose thread it is; null where it belongs to no process. */
    final @Nullable Host host;

    /** Whether it is in the middle of a step, while others run. */
    boolean inStep;

    Actor(String name, @Nullable Host host) {
        this.name = name;
        this.host = host;
    }

    /** When it can take its next step: now or earlier, later, or {@link #NEVER}. */
    abstract long wakeAtNanos();

    abstract void step();
}
