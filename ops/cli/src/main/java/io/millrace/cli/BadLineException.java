package io.millrace.cli;

import java.io.Serial;

/** A line of input that cannot be used; the message reads {@code field=value, expected=…}. The lines after it are not affected. */
final class BadLineException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    BadLineException(String message) {
        super(message);
    }
}
