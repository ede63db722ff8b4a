package io.millrace.streams.records;

import io.millrace.engine.Completion;
import io.millrace.engine.FailureCode;
import java.util.Optional;

/**
 * What a failure record says beside whom it is about.
 *
 * @param message the field and value at fault, or what happened
 */
public record FailureReport(
        FailureCode code,
        String message,
        Optional<String> partialText,
        Optional<Completion.Usage> usage,
        Optional<Completion.Timings> timings) {

    /** A failure that no engine took part in. */
    public static FailureReport of(FailureCode code, String message) {
        return new FailureReport(code, message, Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** An engine's failure. */
    public static FailureReport of(Completion.Failed failed) {
        return new FailureReport(
                failed.code(), failed.message(), failed.partialText(), failed.usage(), failed.timings());
    }

    /** Whether the same prompt may succeed later. */
    public boolean retriable() {
        return switch (code) {
            case ENGINE_ERROR, CANCELLED -> true;
            case INVALID_REQUEST,
                    MODEL_NOT_FOUND,
                    PROMPT_TOO_LARGE,
                    CONTEXT_LENGTH_EXCEEDED,
                    DEADLINE_EXCEEDED,
                    RESULT_TOO_LARGE,
                    DUPLICATE_REQUEST -> false;
        };
    }
}
