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
 * @param responseFormat the form that the answer must have
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
        OptionalInt logprobs,
        ResponseFormat responseFormat) {

    /** Bound on {@code stop}: every string is searched for after every token. */
    public static final int MAX_STOP_STRINGS = 16;

    /** Bound on {@code logprobs}: OpenAI's and vLLM's. */
    public static final int MAX_LOGPROBS = 20;

    /** The unmodified distribution (temperature 1), no stop strings, the model's default length. */
    public static final SamplingParameters DEFAULT = new SamplingParameters(
            OptionalInt.empty(),
            0,
            false,
            1,
            1,
            0,
            0,
            1,
            List.of(),
            OptionalLong.empty(),
            OptionalInt.empty(),
            ResponseFormat.TEXT);

    /** {@link #DEFAULT} with temperature 0: the most probable token each time. */
    public static final SamplingParameters GREEDY =
            DEFAULT.toBuilder().temperature(0).build();

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

    /** A builder that starts at {@link #DEFAULT}. */
    public static Builder builder() {
        return new Builder(DEFAULT);
    }

    /** A builder that starts at these values: a model's defaults, say, with a request's own put over them. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    private static void check(String field, Object value, boolean valid, String expected) {
        if (!valid) {
            throw new InvalidRequestException(field, value, expected);
        }
    }

    /** Sets parameters by name; {@link #build} checks them. Not for use by several threads. */
    public static final class Builder {
        private OptionalInt maxTokens;
        private int minTokens;
        private boolean ignoreEos;
        private double temperature;
        private double topP;
        private int topK;
        private double minP;
        private double repetitionPenalty;
        private List<String> stop;
        private OptionalLong seed;
        private OptionalInt logprobs;
        private ResponseFormat responseFormat;

        private Builder(SamplingParameters from) {
            maxTokens = from.maxTokens;
            minTokens = from.minTokens;
            ignoreEos = from.ignoreEos;
            temperature = from.temperature;
            topP = from.topP;
            topK = from.topK;
            minP = from.minP;
            repetitionPenalty = from.repetitionPenalty;
            stop = from.stop;
            seed = from.seed;
            logprobs = from.logprobs;
            responseFormat = from.responseFormat;
        }

        public Builder maxTokens(int value) {
            maxTokens = OptionalInt.of(value);
            return this;
        }

        public Builder minTokens(int value) {
            minTokens = value;
            return this;
        }

        public Builder ignoreEos(boolean value) {
            ignoreEos = value;
            return this;
        }

        public Builder temperature(double value) {
            temperature = value;
            return this;
        }

        public Builder topP(double value) {
            topP = value;
            return this;
        }

        public Builder topK(int value) {
            topK = value;
            return this;
        }

        public Builder minP(double value) {
            minP = value;
            return this;
        }

        public Builder repetitionPenalty(double value) {
            repetitionPenalty = value;
            return this;
        }

        public Builder stop(List<String> value) {
            stop = value;
            return this;
        }

        public Builder seed(long value) {
            seed = OptionalLong.of(value);
            return this;
        }

        public Builder logprobs(int value) {
            logprobs = OptionalInt.of(value);
            return this;
        }

        public Builder responseFormat(ResponseFormat value) {
            responseFormat = value;
            return this;
        }

        /**
         * The parameters.
         *
         * @throws InvalidRequestException when one is out of range
         */
        public SamplingParameters build() {
            return new SamplingParameters(
                    maxTokens,
                    minTokens,
                    ignoreEos,
                    temperature,
                    topP,
                    topK,
                    minP,
                    repetitionPenalty,
                    stop,
                    seed,
                    logprobs,
                    responseFormat);
        }
    }
}
