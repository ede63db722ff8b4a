package io.millrace.cli;

import java.io.UncheckedIOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** What the user gets to see of an exception. */
final class Failures {

    private Failures() {}

    static ExitCode exitCode(Throwable e) {
        Throwable cause = unwrap(e);
        if (cause instanceof CliException ours) {
            return ours.exitCode();
        }
        if (cause instanceof org.apache.kafka.common.KafkaException) {
            return ExitCode.KAFKA;
        }
        if (cause instanceof java.io.IOException) {
            return ExitCode.INPUT;
        }
        return ExitCode.INTERNAL;
    }

    /** The message on one line, with the kind of exception where the message alone says nothing. */
    static String oneLine(Throwable e) {
        Throwable cause = unwrap(e);
        String message = cause.getMessage();
        boolean selfExplaining =
                cause instanceof CliException || cause instanceof picocli.CommandLine.ParameterException;
        String text = message == null || message.isBlank()
                ? cause.getClass().getSimpleName()
                : selfExplaining ? message : cause.getClass().getSimpleName() + ": " + message;
        return text.strip().replaceAll("\\s*\\R\\s*", " ");
    }

    private static Throwable unwrap(Throwable e) {
        Throwable cause = e;
        while ((cause instanceof ExecutionException
                        || cause instanceof CompletionException
                        || cause instanceof UncheckedIOException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }
}
