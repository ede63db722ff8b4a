package io.millrace.cli;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** Ends the command with one line on stderr that names the thing and its value. */
final class CliException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final ExitCode exitCode;

    CliException(ExitCode exitCode, String message) {
        this(exitCode, message, null);
    }

    CliException(ExitCode exitCode, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    ExitCode exitCode() {
        return exitCode;
    }
}
