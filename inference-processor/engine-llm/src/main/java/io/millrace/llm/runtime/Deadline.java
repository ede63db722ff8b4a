package io.millrace.llm.runtime;

import java.time.Duration;
import java.time.Instant;

/**
 * When an answer is of no use any more.
 *
 * @param at as the request states it; {@link Instant#MAX}: never
 * @param nanos the same on {@link EngineClock#nanoTime}, which no clock adjustment moves
 */
record Deadline(Instant at, long nanos) {

    static final Deadline NEVER = new Deadline(Instant.MAX, Long.MAX_VALUE);

    static Deadline of(Instant at, EngineClock clock) {
        Instant now = clock.now();
        long base = clock.nanoTime();
        long left = saturatedNanos(Duration.between(now, at));
        long nanos = base + left;
        boolean overflow = left > 0 && nanos < base;
        return new Deadline(at, overflow ? Long.MAX_VALUE : nanos);
    }

    boolean passed(long nowNanos) {
        return nanos <= nowNanos;
    }

    private static long saturatedNanos(Duration duration) {
        long seconds = Math.clamp(duration.toSeconds(), -Integer.MAX_VALUE, Integer.MAX_VALUE);
        return seconds * 1_000_000_000L + duration.toNanosPart();
    }
}
