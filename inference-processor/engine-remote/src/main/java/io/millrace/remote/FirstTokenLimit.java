package io.millrace.remote;

import com.netflix.concurrency.limits.Limit;
import com.netflix.concurrency.limits.limit.AIMDLimit;
import java.util.concurrent.TimeUnit;

/**
 * The limit of requests whose answers are streamed.
 *
 * <p>A server that is full starts a request when it has finished another. So what a streamed request tells is how many others
 * have finished between its sending and its first token: none, if there was room; as many as queue before it, if there was
 * not. Requests that share a prefill see some finish, too; the least of a window of samples counts, as in CoDel. None: the
 * limit grows by one. One: it stays, since one request in line hides the way to the server and back. More: it shrinks. Time
 * to first token by itself would not tell a queue from a batch that is large, as it should be.
 *
 * <p>At first it grows with each first token, while few wait for theirs, until a window has found a queue.
 *
 * <p>Threads: its caller's.
 */
final class FirstTokenLimit implements AdaptiveLimit {

    private static final int FIRST_LIMIT = 8;

    /** Samples of a window: as many as the limit, so that each place counts about once, and no fewer than this. */
    private static final int LEAST_SAMPLES = 8;

    /** Requests that may wait for their first token while the limit grows fast: some are always on their way. */
    private static final int FEW = 2;

    /** And a part of the limit. */
    private static final int FEW_DIVISOR = 8;

    private static final int QUEUED = 2;

    private static final double SHRINK = 0.9;

    /** Latency of what was dropped: long, so that no rule takes it for the latency of an idle server. */
    private static final long DROPPED_NANOS = TimeUnit.HOURS.toNanos(1);

    private final Limit limit;
    private boolean growsFast = true;
    private int epoch; // raised with each decision: what was sent before it tells nothing of it
    private int samples;
    private int leastFinished = Integer.MAX_VALUE;

    FirstTokenLimit(int most) {
        limit = AIMDLimit.newBuilder()
                .initialLimit(Math.min(FIRST_LIMIT, most))
                .minLimit(1)
                .maxLimit(most)
                .backoffRatio(SHRINK)
                .build();
    }

    @Override
    public int get() {
        return limit.getLimit();
    }

    @Override
    public int epoch() {
        return epoch;
    }

    /**
     * A streamed request got its first token.
     *
     * @param sentIn the epoch in which it was sent
     * @param inFlight requests in flight when it was sent, itself included
     * @param finished requests of this endpoint that finished between
     * @param waiting requests in flight that have no token yet
     */
    void firstToken(int sentIn, int inFlight, int finished, int waiting) {
        if (sentIn != epoch) {
            return;
        }
        leastFinished = Math.min(leastFinished, finished);
        samples++;
        if (growsFast && finished == 0 && waiting <= FEW + get() / FEW_DIVISOR) {
            grow(inFlight);
        }
        if (samples >= Math.max(LEAST_SAMPLES, get())) {
            decide(inFlight);
        }
    }

    private void decide(int inFlight) {
        growsFast &= leastFinished == 0;
        if (leastFinished >= QUEUED) {
            // all but one of those that queue, and no more than half
            int target = Math.max(get() / 2, get() - (leastFinished - 1));
            while (get() > target) {
                shrink();
            }
        } else if (leastFinished == 0 && !growsFast) {
            grow(inFlight);
        }
        nextWindow();
    }

    @Override
    public void refused(int sentIn) {
        if (sentIn == epoch) {
            growsFast = false;
            shrink();
            nextWindow();
        }
    }

    private void grow(int inFlight) {
        limit.onSample(0, 1, inFlight, false);
    }

    private void shrink() {
        limit.onSample(0, DROPPED_NANOS, get(), true);
    }

    private void nextWindow() {
        epoch++;
        samples = 0;
        leastFinished = Integer.MAX_VALUE;
    }
}
