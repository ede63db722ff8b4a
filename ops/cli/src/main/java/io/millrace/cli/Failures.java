package io.millrace.cli;

import io.millrace.llm.gguf.GgufException;
import io.millrace.modelstore.ModelStoreException;
import io.millrace.streams.app.StartException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** What the user gets to see of an exception. */
final class Failures {

    /** Their messages name the thing, its value and what was expected. */
    private static final List<Class<? extends Throwable>> SELF_EXPLAINING = List.of(
            CliException.class,
            ModelStoreException.class,
            GgufException.class,
            StartException.class,
            picocli.CommandLine.ParameterException.class);

    private Failures() {}

    static ExitCode exitCode(Throwable e) {
        Throwable cause = unwrap(e);
        if (cause instanceof CliException ours) {
            return ours.exitCode();
        }
        if (cause instanceof ModelStoreException || cause instanceof GgufException) {
            return ExitCode.MODEL;
        }
        if (cause instanceof StartException || cause instanceof org.apache.kafka.common.KafkaException) {
            return ExitCode.KAFKA;
        }
        if (cause instanceof java.io.IOException) {
            return ExitCode.INPUT;
        }
        return ExitCode.INTERNAL;
    }

    /** The message, a line for each error, with the kind of exception where the message alone says nothing. */
    static List<String> lines(Throwable e) {
        Throwable cause = unwrap(e);
        String message = cause.getMessage();
        if (message == null || message.isBlank()) {
            return List.of(cause.getClass().getSimpleName());
        }
        String kind = SELF_EXPLAINING.stream().anyMatch(type -> type.isInstance(cause))
                ? ""
                : cause.getClass().getSimpleName() + ": ";
        return (kind + message).lines().map(String::strip).toList();
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
