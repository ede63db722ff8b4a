package io.millrace.remote;

import io.millrace.remote.protocol.ServerCall;
import io.millrace.remote.protocol.ServerCall.Delivery;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way to an endpoint and back, once.
 *
 * <p>Threads: the engine's monitor guards it; the volatile fields are written by the attempt's own thread or by whoever stops it.
 */
final class Attempt {

    private final Endpoint endpoint;
    private final ServerCall call;
    private final int tokens;
    private final int inFlight;
    private final int epoch;
    private final long finishedBefore;
    private final long sentNanos;
    private @Nullable Thread thread;
    private volatile long heardNanos;
    private volatile long firstTokenNanos;
    private volatile boolean hasToken;
    private volatile boolean cameWhole;
    private volatile @Nullable Stop stop;

    /**
     * An attempt that is sent now.
     *
     * @param tokens reserved for it
     * @param inFlight to its endpoint, itself included
     * @param epoch of the endpoint's limit
     * @param finishedBefore requests that the endpoint has finished so far
     */
    Attempt(
            Endpoint endpoint,
            ServerCall call,
            int tokens,
            int inFlight,
            int epoch,
            long finishedBefore,
            long sentNanos) {
        this.endpoint = endpoint;
        this.call = call;
        this.tokens = tokens;
        this.inFlight = inFlight;
        this.epoch = epoch;
        this.finishedBefore = finishedBefore;
        this.sentNanos = sentNanos;
        this.heardNanos = sentNanos;
    }

    /** Why an attempt was ended from here. */
    enum Stop {
        CANCELLED,
        DEADLINE,
        READ_TIMEOUT,
        TOTAL_TIMEOUT,
        CLOSED
    }

    Endpoint endpoint() {
        return endpoint;
    }

    String path() {
        return call.path();
    }

    /** How the answer was asked for. */
    Delivery asked() {
        return call.delivery();
    }

    /** How it comes, as far as that is known. */
    Delivery delivery() {
        return cameWhole ? Delivery.WHOLE : call.delivery();
    }

    /** It came in one piece, however it was asked for. */
    void cameWhole() {
        cameWhole = true;
    }

    int tokens() {
        return tokens;
    }

    int inFlight() {
        return inFlight;
    }

    int epoch() {
        return epoch;
    }

    long finishedBefore() {
        return finishedBefore;
    }

    long sentNanos() {
        return sentNanos;
    }

    long heardNanos() {
        return heardNanos;
    }

    /** Something has come from the server. */
    void heard(long nowNanos) {
        heardNanos = nowNanos;
    }

    boolean hasToken() {
        return hasToken;
    }

    long firstTokenNanos() {
        return firstTokenNanos;
    }

    void firstToken(long nowNanos) {
        firstTokenNanos = nowNanos;
        hasToken = true;
    }

    void start(Thread thread) {
        this.thread = thread;
        thread.start();
    }

    /** Ends it, unless it was told to end before: its connection is closed, so that the server stops working on it. */
    void stop(Stop why) {
        if (stop == null) {
            stop = why;
            if (thread != null) {
                thread.interrupt();
            }
        }
    }

    @Nullable
    Stop stopped() {
        return stop;
    }

    /** Waits until its thread has ended, unless that is the caller's. */
    void join(Duration most) throws InterruptedException {
        if (thread != null && thread != Thread.currentThread()) {
            var _ = thread.join(most);
        }
    }
}
