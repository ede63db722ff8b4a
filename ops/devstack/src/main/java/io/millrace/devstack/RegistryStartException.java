package io.millrace.devstack;

/** The schema registry could not be fetched or started; the message names what stands in the way. */
public final class RegistryStartException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RegistryStartException(String message) {
        super(message);
    }

    public RegistryStartException(String message, Throwable cause) {
        super(message, cause);
    }
}
