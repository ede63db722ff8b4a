package io.millrace.bench.pipeline;

import java.util.Random;

/**
 * When prompts are meant to be sent. Latency counts from there: who falls behind makes no prompt look faster.
 *
 * @param atNanos from the start of the run, ascending
 */
record Schedule(long[] atNanos) {

    private static final double NANOS_PER_SECOND = 1e9;

    /** All at once. */
    static Schedule burst(int count) {
        return new Schedule(new long[count]);
    }

    /**
     * Independent arrivals at a mean rate.
     *
     * @param perSecond above 0
     */
    static Schedule poisson(int count, double perSecond, long seed) {
        var random = new Random(seed);
        long[] at = new long[count];
        double seconds = 0;
        for (int i = 0; i < count; i++) {
            seconds += -Math.log(1 - random.nextDouble()) / perSecond;
            at[i] = (long) (seconds * NANOS_PER_SECOND);
        }
        return new Schedule(at);
    }

    int count() {
        return atNanos.length;
    }
}
