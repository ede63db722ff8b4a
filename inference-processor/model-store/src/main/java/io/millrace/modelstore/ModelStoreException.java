package io.millrace.modelstore;

import java.io.IOException;
import java.io.Serial;

/** A model cannot be had: the message names what was found, what was expected and, where there is one, the remedy. */
public final class ModelStoreException extends IOException {
    @Serial
    private static final long serialVersionUID = 1;

    /** With a message for people. */
    public ModelStoreException(String message) {
        super(message);
    }

    /** With a message for people and what caused it. */
    public ModelStoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
