package io.millrace.engine;

import java.io.Serial;

/** A field of a request that cannot be what it is. The message reads {@code field=value, expected=…}. */
public final class InvalidRequestException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    /** Longest value that a message repeats, in characters. */
    private static final int MAX_VALUE_CHARS = 200;

    public InvalidRequestException(String field, Object value, String expected) {
        super(field + "=" + shorten(String.valueOf(value)) + ", expected=" + expected);
    }

    private static String shorten(String value) {
        return value.length() <= MAX_VALUE_CHARS ? value : value.substring(0, MAX_VALUE_CHARS) + "…";
    }
}
