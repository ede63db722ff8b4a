package io.millrace.streams.gate;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Rung when something waits for a stream thread, which then need not look all the time.
 *
 * <p>Threads: one bell for all stream threads of an instance; any thread rings. Guards: its monitor.
 */
public final class Bell {

    private final Duration longest;
    private long rings;

    /** @param longest how long anybody waits at most */
    public Bell(Duration longest) {
        this.longest = longest;
    }

    /** Wakes the stream threads that wait, and keeps those from waiting that are about to. */
    public synchronized void ring() {
        rings++;
        notifyAll();
    }

    /**
     * Waits until it rings, or long enough.
     *
     * @param heard what the last call returned, 0 at first: what has rung since is not waited for
     */
    synchronized long await(long heard) {
        long end = System.nanoTime() + longest.toNanos();
        try {
            for (long left = longest.toNanos(); rings == heard && left > 0; left = end - System.nanoTime()) {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return rings;
    }
}
