package io.millrace.remote;

import java.time.Duration;
import java.time.Instant;

/** Time that a test moves. */
final class FakeClock implements RemoteClock {

    private long nanos = 1_000_000_000L;

    @Override
    public synchronized long nanoTime() {
        return nanos;
    }

    @Override
    public Instant now() {
        return Instant.EPOCH.plusNanos(nanoTime());
    }

    synchronized void advance(Duration by) {
        nanos += by.toNanos();
    }

    synchronized void advanceTo(long toNanos) {
        nanos = Math.max(nanos, toNanos);
    }
}
