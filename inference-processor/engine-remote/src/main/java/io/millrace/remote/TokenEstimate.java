package io.millrace.remote;

import io.millrace.engine.SamplingParameters;
import io.millrace.remote.protocol.Answer.TokenCounts;
import io.millrace.remote.protocol.ServerCall.PromptSize;
import java.util.OptionalInt;

/**
 * How many tokens a request will take on its server: its prompt's characters and its max_tokens, corrected by what answers have
 * taken before. A sum over many requests is near the truth even where single ones are not.
 *
 * <p>Threads: its caller's.
 */
final class TokenEstimate {

    /** English text has about four characters a token. */
    private static final double FIRST_TOKENS_PER_CHAR = 0.25;

    /** A prompt, before any was seen. */
    private static final double FIRST_PROMPT_CHARS = 1000;

    /** An answer without max_tokens, before any was seen. */
    private static final double FIRST_ANSWER_TOKENS = 256;

    /** Weight of the newest answer: the last twenty count, about. */
    private static final double NEWEST = 0.05;

    // of the mean prompt: a mean of single ratios would be that of short prompts, which are chat template mostly
    private double promptChars = FIRST_PROMPT_CHARS;
    private double promptTokens = FIRST_PROMPT_CHARS * FIRST_TOKENS_PER_CHAR;
    private double partOfMaxTokens = 1; // until something was seen: all of it
    private double answerTokens = FIRST_ANSWER_TOKENS;

    /** Prompt and answer. */
    int tokens(PromptSize prompt, SamplingParameters sampling) {
        OptionalInt most = sampling.maxTokens();
        double answer = most.isPresent() ? most.getAsInt() * partOfMaxTokens : answerTokens;
        return (int) Math.ceil(Math.min(promptTokens(prompt) + answer, Integer.MAX_VALUE));
    }

    /** The prompt alone. */
    int promptTokens(PromptSize prompt) {
        return (int) Math.ceil(
                Math.min(prompt.tokens() + (double) prompt.chars() * promptTokens / promptChars, Integer.MAX_VALUE));
    }

    /** Learns from an answer. */
    void measured(PromptSize prompt, SamplingParameters sampling, TokenCounts counts) {
        if (counts.prompt().isPresent() && prompt.chars() > 0) {
            promptTokens += NEWEST * (counts.prompt().getAsInt() - promptTokens);
            promptChars += NEWEST * ((double) prompt.chars() - promptChars);
        }
        if (counts.completion().isPresent()) {
            int taken = counts.completion().getAsInt();
            answerTokens += NEWEST * (taken - answerTokens);
            if (sampling.maxTokens().isPresent()) {
                double part = Math.min(1, taken / (double) sampling.maxTokens().getAsInt());
                partOfMaxTokens += NEWEST * (part - partOfMaxTokens);
            }
        }
    }
}
