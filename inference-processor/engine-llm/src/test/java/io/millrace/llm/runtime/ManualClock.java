package io.millrace.llm.runtime;

import java.time.Instant;

/** A clock that a test moves. */
final class ManualClock implements EngineClock {

    static final Instant EPOCH = Instant.parse("2026-01-01T00:00:00Z");

    private long nanos;

    void advance(long byNanos) {
        nanos += byNanos;
    }

    @Override
    public long nanoTime() {
        return nanos;
    }

    @Override
    public Instant now() {
        return EPOCH.plusNanos(nanos);
    }
}
