package io.millrace.llm.sampler;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * How to draw one token.
 *
 * @param temperature 0 is greedy: the largest logit, the lowest id among equals
 * @param topK 0 keeps all
 * @param topP 1 keeps all
 * @param minP 0 keeps all
 * @param repetitionPenalty 1 is none; else applied once to each id in {@code history}
 * @param history ids of prompt and answer so far, as far as the host knows them: a token in flight (see {@code
 *     StepInput.Item}) is the runner's to add; empty when there is no penalty
 * @param seed seed of the draw
 * @param position position of the token to be drawn: (seed, position) alone decide the random number
 * @param allowed bit i of word i / 64 is set when token id i may be drawn; empty: all may
 * @param logprobs alternatives to report, of the unmodified logits; empty: no log probabilities at all
 */
public record SampleRequest(
        double temperature,
        int topK,
        double topP,
        double minP,
        double repetitionPenalty,
        int[] history,
        long seed,
        int position,
        Optional<long[]> allowed,
        OptionalInt logprobs) {}
