package io.millrace.engine;

/**
 * The engine takes no request now; the same request may be taken later.
 *
 * @param reason of which kind
 * @param message for people, with the numbers
 */
public record Rejection(Reason reason, String message) {

    /** Why a request is not taken now. */
    public enum Reason {
        /** The waiting queue is at its bound. */
        QUEUE_FULL,
        /** The engine, or the server behind it, is not healthy. */
        UNAVAILABLE,
        /** The engine is closing or closed. */
        CLOSED
    }
}
