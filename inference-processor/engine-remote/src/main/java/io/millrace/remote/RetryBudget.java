package io.millrace.remote;

/**
 * Retries that may be sent: a part of one for each request, some in reserve, and one a second in any case, so that what has to wait
 * for the budget waits and nothing fails of it. A server in trouble is so spared a flood of repetitions.
 *
 * <p>Threads: its caller's.
 */
final class RetryBudget {

    /** Retries that are free at first, and the most that are saved. */
    private static final double RESERVE = 10;

    private static final double PER_NANO = 1e-9;

    private final double perRequest;
    private double retries = RESERVE;
    private long lastNanos;

    RetryBudget(double perRequest, long nowNanos) {
        this.perRequest = perRequest;
        this.lastNanos = nowNanos;
    }

    /** A request is sent for the first time. */
    void request() {
        retries += perRequest;
    }

    /** Takes one retry out, if there is one. */
    boolean take(long nowNanos) {
        retries = Math.min(RESERVE, retries + (nowNanos - lastNanos) * PER_NANO);
        lastNanos = nowNanos;
        if (retries < 1) {
            return false;
        }
        retries--;
        return true;
    }
}
