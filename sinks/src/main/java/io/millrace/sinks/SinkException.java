package io.millrace.sinks;

/** The sink cannot go on; the message names what stands in the way. What it has written stays valid. */
public final class SinkException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public SinkException(String message) {
        super(message);
    }

    public SinkException(String message, Throwable cause) {
        super(message, cause);
    }
}
