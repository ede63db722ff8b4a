package io.millrace.streams.config;

/**
 * Something to say about a configuration file.
 *
 * @param severity whether it can be used all the same
 * @param file the file's name as it was given
 * @param line from 1; 0 where it is about the file as a whole
 * @param column from 1
 * @param message {@code name=value, expected=…} or the like
 */
public record Problem(Severity severity, String file, int line, int column, String message) {

    /** How bad it is. */
    public enum Severity {
        /** The file cannot be used. */
        ERROR,
        /** The file can be used, and probably does not do what was meant. */
        WARNING
    }

    /** {@code file:line:column: message}, with {@code warning: } before a warning's message. */
    @Override
    public String toString() {
        String place = line == 0 ? file : file + ":" + line + ":" + column;
        return place + ": " + (severity == Severity.WARNING ? "warning: " : "") + message;
    }
}
