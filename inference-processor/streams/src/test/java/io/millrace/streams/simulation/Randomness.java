package io.millrace.streams.simulation;

/** One stream of draws for the whole run: every choice is made by it, so the seed is the run. */
final class Randomness {

    private long state;

    Randomness(long seed) {
        state = seed * 0x9E3779B97F4A7C15L + 0x1234567;
    }

    long next() {
        state += 0x9E3779B97F4A7C15L;
        long mixed = state;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }

    /** 0 to {@code bound}, exclusive. */
    int below(int bound) {
        return (int) ((next() >>> 33) % bound);
    }

    /** {@code least} to {@code most}, both inclusive. */
    int between(int least, int most) {
        return least + below(most - least + 1);
    }

    /** True once in so many times. */
    boolean oneIn(int times) {
        return below(times) == 0;
    }

    /** Nanoseconds, {@code least} to {@code most} milliseconds. */
    long nanos(long leastMs, long mostMs) {
        return (leastMs * 1_000 + below(Math.toIntExact((mostMs - leastMs) * 1_000 + 1))) * 1_000;
    }
}
