package io.millrace.engine;

import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How tokens are drawn, by OpenAI's and vLLM's names. Every instance is valid: the constructor throws {@link
 * InvalidRequestException} naming the field, its value and what was expected.
 *
 * @param maxTokens most tokens to generate, at least 1; empty: the model's default
 * @param minTokens tokens before end-of-sequence or a stop string may end the answer
 * @param ignoreEos generate on past end-of-sequence
 * @param temperature 0 (greedy) to 2
 * @param topP in (0, 1]; 1 keeps all
 * @param topK at least 0; 0 keeps all
 * @param minP in [0, 1]; 0 keeps all
 * @param repetitionPenalty in (0, 10]; 1 is none
 * @param stop at most {@value #MAX_STOP_STRINGS} non-empty strings
 * @param seed seed of the draws
 * @param logprobs alternatives to report per position, 0 to {@value #MAX_LOGPROBS}; empty: none, not even the drawn token's
 */
public record SamplingParameters(
        OptionalInt maxTokens,
        int minTokens,
        boolean ignoreEos,
        double temperature,
        double topP,
        int topK,
        double minP,
        double repetitionPenalty,
        List<String> stop,
        OptionalLong seed,
        OptionalInt logprobs) {

    /** Bound on {@code stop}: every string is searched for after every token. */
    public static final int MAX_STOP_STRINGS = 16;

    /** Bound on {@code logprobs}: OpenAI's and vLLM's. */
    public static final int MAX_LOGPROBS = 20;

    /** Greedy, no stop strings, the model's default length. */
    public static final SamplingParameters GREEDY = new SamplingParameters(
            OptionalInt.empty(), 0, false, 0, 1, 0, 0, 1, List.of(), OptionalLong.empty(), OptionalInt.empty());

    public SamplingParameters {
        stop = List.copyOf(stop);
        if (maxTokens.isPresent()) {
            check("max_tokens", maxTokens.getAsInt(), maxTokens.getAsInt() >= 1, "at least 1");
        }
        int most = maxTokens.orElse(Integer.MAX_VALUE);
        check("min_tokens", minTokens, minTokens >= 0 && minTokens <= most, "0 to max_tokens");
        check("temperature", temperature, temperature >= 0 && temperature <= 2, "0 to 2");
        check("top_p", topP, topP > 0 && topP <= 1, "above 0, to 1");
        check("top_k", topK, topK >= 0, "0 (all) or more");
        check("min_p", minP, minP >= 0 && minP <= 1, "0 to 1");
        check(
                "repetition_penalty",
                repetitionPenalty,
                repetitionPenalty > 0 && repetitionPenalty <= 10,
                "above 0, to 10");
        check("stop", stop, stop.size() <= MAX_STOP_STRINGS, "at most " + MAX_STOP_STRINGS + " strings");
        check("stop", stop, stop.stream().noneMatch(String::isEmpty), "non-empty strings");
        if (logprobs.isPresent()) {
            int top = logprobs.getAsInt();
            check("logprobs", top, top >= 0 && top <= MAX_LOGPROBS, "0 to " + MAX_LOGPROBS);
        }
    }

    private static void check(String field, Object value, boolean valid, String expected) {
        if (!valid) {
            throw new InvalidRequestException(field, value, expected);
        }
    }
}
