package io.millrace.devstack;

/** The broker could not start; the message names what stands in the way. */
public final class KafkaStartException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public KafkaStartException(String message) {
        super(message);
    }

    public KafkaStartException(String message, Throwable cause) {
        super(message, cause);
    }
}
