package io.millrace.remote;

/**
 * How many requests may be in flight to an endpoint, so that it is full and little queues in it.
 *
 * <p>Threads: its caller's.
 */
sealed interface AdaptiveLimit permits FirstTokenLimit, ThroughputLimit {

    /** Requests in flight, at least 1. */
    int get();

    /** What an attempt that is sent now must hand back: what was sent before a decision tells nothing of it. */
    int epoch();

    /** The server refused a request because of the others. Those that are refused together count once. */
    void refused(int sentIn);
}
