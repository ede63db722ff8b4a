package io.millrace.streams.app;

import java.io.Serial;

/** The application cannot start; the message names what is wrong and the remedy. */
public final class StartException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    public StartException(String message) {
        super(message);
    }

    public StartException(String message, Throwable cause) {
        super(message, cause);
    }
}
