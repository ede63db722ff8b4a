package io.millrace.streams.simulation;

import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** A process as its surroundings see it. */
class Host {

    final String name;
    private boolean alive = true;

    /** Stopped until then, all threads of it (SIGSTOP); 0: it runs. */
    long stoppedUntilNanos;

    /** Without network until then. */
    long cutUntilNanos;

    Host(String name) {
        this.name = name;
    }

    /** As members of the group name it. */
    UUID process() {
        return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
    }

    boolean isAlive() {
        return alive;
    }

    /** Its end, at once: nothing of it runs again. */
    void kill() {
        alive = false;
    }

    boolean isStopped(long nowNanos) {
        return nowNanos < stoppedUntilNanos;
    }

    /** Whether its heartbeats arrive. */
    boolean isReachable(long nowNanos) {
        return alive && !isStopped(nowNanos) && nowNanos >= cutUntilNanos;
    }
}
