package io.millrace.remote;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How long to wait before the next attempt: doubles with each in a row, up to a bound, and is drawn from the upper half, so that
 * those that failed together do not come back together.
 */
final class BackOff {

    /** 2^30 times the shortest is beyond any bound. */
    private static final int MOST_DOUBLINGS = 30;

    private final long firstNanos;
    private final long longestNanos;
    private final RandomGenerator random;

    BackOff(Duration first, Duration longest, RandomGenerator random) {
        this.firstNanos = first.toNanos();
        this.longestNanos = longest.toNanos();
        this.random = random;
    }

    /**
     * Nanoseconds to wait.
     *
     * @param failures in a row, at least 1
     */
    long nanos(int failures) {
        double doubled = (double) firstNanos * Math.pow(2, Math.min(failures - 1, MOST_DOUBLINGS));
        long most = (long) Math.min(doubled, (double) longestNanos);
        return most / 2 + random.nextLong(most - most / 2 + 1);
    }
}
