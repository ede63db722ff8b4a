package io.millrace.remote.protocol;

import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.Output;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A whole answer.
 *
 * @param version of the model, as the server reports it
 */
public record Answer(Output output, FinishReason finishReason, TokenCounts tokens, Optional<String> version) {

    /**
     * Tokens as the server counts them, where it does.
     *
     * @param cachedPrompt the part of {@code prompt} found in its prefix cache
     */
    public record TokenCounts(OptionalInt prompt, int cachedPrompt, OptionalInt completion) {

        /** The server tells nothing. */
        static final TokenCounts UNKNOWN = new TokenCounts(OptionalInt.empty(), 0, OptionalInt.empty());
    }
}
