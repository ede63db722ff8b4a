package io.millrace.bench.pipeline;

import java.io.Serial;

/** A prompt of a run had no answer, more than one, or one that is not in full: what is wrong is not timed. */
public final class UnansweredException extends IllegalStateException {

    @Serial
    private static final long serialVersionUID = 1L;

    UnansweredException(String message) {
        super(message);
    }

    UnansweredException(String message, Throwable cause) {
        super(message, cause);
    }
}
