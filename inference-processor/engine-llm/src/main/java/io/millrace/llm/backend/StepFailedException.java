package io.millrace.llm.backend;

import java.io.Serial;

/** A step failed on the device. */
public final class StepFailedException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    public StepFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
