package io.millrace.streams.simulation;

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
