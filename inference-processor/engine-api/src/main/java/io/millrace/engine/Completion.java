package io.millrace.engine;

import java.util.Optional;

/** How a request ended. */
public sealed interface Completion {

    /** The request's id. */
    String requestId();

    /**
     * Answered.
     *
     * @param model who answered
     * @param endpoint which of the engine's servers answered, by its configured name; empty where the engine has none
     */
    record Completed(
            String requestId,
            ModelInfo model,
            Optional<String> endpoint,
            Output output,
            FinishReason finishReason,
            Usage usage,
            Timings timings,
            BatchShare batch)
            implements Completion {}

    /**
     * Not answered.
     *
     * @param message the field and value at fault, or what happened
     * @param partialText what had been generated, where there is some
     * @param usage tokens taken, where the engine got that far
     * @param timings time taken, where the engine got that far
     */
    record Failed(
            String requestId,
            FailureCode code,
            String message,
            Optional<String> partialText,
            Optional<Usage> usage,
            Optional<Timings> timings)
            implements Completion {

        /** A failure before any token was computed. */
        public static Failed of(String requestId, FailureCode code, String message) {
            return new Failed(requestId, code, message, Optional.empty(), Optional.empty(), Optional.empty());
        }
    }

    /** Why generation ended. */
    enum FinishReason {
        /** End of sequence, or a stop string. */
        STOP,
        /** max_tokens, or the context is full. */
        LENGTH
    }

    /**
     * Tokens taken.
     *
     * @param cachedPromptTokens the part of {@code promptTokens} found in the prefix cache
     * @param completionTokens tokens generated, end-of-sequence not counted
     */
    record Usage(int promptTokens, int cachedPromptTokens, int completionTokens) {}

    /**
     * Time taken, nanoseconds.
     *
     * @param queueNanos from admission to the first step that worked on the request
     * @param prefillNanos from that step to the first token
     * @param decodeNanos from the first token to the last
     * @param timeToFirstTokenNanos from admission to the first token
     * @param totalNanos from admission to completion
     */
    record Timings(long queueNanos, long prefillNanos, long decodeNanos, long timeToFirstTokenNanos, long totalNanos) {}

    /**
     * The batches the request was part of.
     *
     * @param steps engine steps that worked on it
     * @param meanSequences mean number of sequences in those steps
     * @param meanTokens mean number of tokens in those steps
     * @param preemptions times it lost its KV blocks and was computed again
     */
    record BatchShare(int steps, double meanSequences, double meanTokens, int preemptions) {}
}
