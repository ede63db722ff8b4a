package io.millrace.llm.sampler;

import io.millrace.engine.Output.PositionLogprobs;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Draws one token from one row of logits, on the host.
 *
 * <p>The order is vLLM's (V1, {@code vllm/v1/sample/sampler.py}, docstring of {@code Sampler}): allowed ids, repetition penalty; then greedy, or
 * temperature, min_p, top_k, top_p and one draw. Ties go to the lower id. min_p and top_k commute, both
 * keep the most probable tokens: top_k goes first here, it is cheaper. top_p keeps the fewest most probable tokens whose probability, among
 * those that min_p and top_k left, adds up to at least top_p. Log probabilities are of the unmodified logits.
 *
 * <p>One uniform number per draw, Philox of (seed, position), inverted through the cumulative distribution: the same logits, request, seed and
 * position give the same token anywhere, in any batch.
 *
 * <p>Threads: an instance holds scratch memory for one vocabulary; one thread at a time.
 */
public final class Sampler {

    private final int vocab;
    private final float[] adjusted; // [vocab]
    private final long[] penalized; // bit per id
    private final Candidates candidates;
    private final Logprobs logprobs;

    /** @param vocab number of token ids, at least 1 */
    public Sampler(int vocab) {
        this.vocab = vocab;
        this.adjusted = new float[vocab];
        this.penalized = new long[Math.ceilDiv(vocab, Long.SIZE)];
        this.candidates = new Candidates(adjusted);
        this.logprobs = new Logprobs(vocab);
    }

    /**
     * Draws a token.
     *
     * @param logits holds the row at {@code [from, from + vocab)}; unchanged
     * @throws IllegalStateException where a logit is not a number or infinitely large, or no token is allowed
     */
    public SampledToken sample(float[] logits, int from, SampleRequest request) {
        checkLogits(logits, from);
        System.arraycopy(logits, from, adjusted, 0, vocab);
        request.allowed().ifPresent(this::mask);
        if (request.repetitionPenalty() != 1) {
            penalize(request.history(), (float) request.repetitionPenalty());
        }
        int best = argmax();
        int drawn = request.temperature() == 0 ? best : draw(adjusted[best], request);
        return new SampledToken(drawn, logprobs(logits, from, drawn, request.logprobs()));
    }

    private void checkLogits(float[] logits, int from) {
        for (int id = 0; id < vocab; id++) {
            float logit = logits[from + id];
            if (Float.isNaN(logit) || logit == Float.POSITIVE_INFINITY) {
                throw new IllegalStateException("logit of token " + id + "=" + logit + ", expected=a finite number");
            }
        }
    }

    /** Ids whose bit is not set can't be drawn. */
    private void mask(long[] allowed) {
        for (int id = 0; id < vocab; id++) {
            if ((allowed[id >>> 6] >>> id & 1) == 0) {
                adjusted[id] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    /** Makes each id in history less likely, once however often it occurs. */
    private void penalize(int[] history, float penalty) {
        Arrays.fill(penalized, 0);
        for (int id : history) {
            long bit = 1L << id;
            if ((penalized[id >>> 6] & bit) == 0) {
                penalized[id >>> 6] |= bit;
                float logit = adjusted[id];
                adjusted[id] = logit > 0 ? logit / penalty : logit * penalty;
            }
        }
    }

    private int argmax() {
        int best = 0;
        for (int id = 1; id < vocab; id++) {
            if (adjusted[id] > adjusted[best]) {
                best = id;
            }
        }
        if (adjusted[best] == Float.NEGATIVE_INFINITY) {
            throw new IllegalStateException("tokens that may be drawn=0, expected=at least 1");
        }
        return best;
    }

    private int draw(float largest, SampleRequest request) {
        if (request.topK() > 0 && request.topK() < vocab) {
            candidates.keepTop(request.topK());
        } else {
            candidates.keepAll();
        }
        candidates.keepAbove(request.minP(), largest, request.temperature());
        if (request.topP() < 1) {
            candidates.keepNucleus(request.topP(), largest, request.temperature());
        }
        return candidates.draw(Philox.uniform(request.seed(), request.position()));
    }

    private Optional<PositionLogprobs> logprobs(float[] logits, int from, int drawn, OptionalInt top) {
        return top.isEmpty() ? Optional.empty() : Optional.of(logprobs.of(logits, from, drawn, top.getAsInt()));
    }
}
