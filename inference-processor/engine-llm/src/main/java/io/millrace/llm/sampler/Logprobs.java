package io.millrace.llm.sampler;

import io.millrace.engine.Output.PositionLogprobs;
import io.millrace.engine.Output.TokenLogprob;
import java.util.ArrayList;
import java.util.List;

/** Natural log probabilities of one row of logits. Holds scratch memory: one thread at a time. */
final class Logprobs {

    private final int vocab;
    private final TopTokens topTokens;
    private final int[] ids; // [vocab]

    Logprobs(int vocab) {
        this.vocab = vocab;
        this.topTokens = new TopTokens(vocab);
        this.ids = new int[vocab];
    }

    /**
     * Log probabilities of the drawn token and of the most probable ones.
     *
     * @param logits holds the row at {@code [from, from + vocab)}
     * @param top how many alternatives, at least 0
     */
    PositionLogprobs of(float[] logits, int from, int drawn, int top) {
        double norm = logSumExp(logits, from);
        int count = top == 0 ? 0 : topTokens.select(logits, from, vocab, top, ids);
        List<TokenLogprob> best = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            best.add(new TokenLogprob(ids[i], (float) (logits[from + ids[i]] - norm)));
        }
        return new PositionLogprobs(drawn, (float) (logits[from + drawn] - norm), best);
    }

    private double logSumExp(float[] logits, int from) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < vocab; i++) {
            largest = Math.max(largest, logits[from + i]);
        }
        double sum = 0;
        for (int i = 0; i < vocab; i++) {
            sum += Math.exp(logits[from + i] - largest);
        }
        return largest + Math.log(sum);
    }
}
