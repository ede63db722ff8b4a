package io.millrace.llm.sampler;

/**
 * The tokens among which one is drawn, each with a weight proportional to its probability. Without top_k and top_p they lie in id order, else most
 * probable first; what neither keeps is never sorted.
 *
 * <p>Filled once per draw: {@link #keepAll} or {@link #keepTop}, then {@link #keepAbove}, then {@link #keepNucleus}, then {@link #draw}.
 */
final class Candidates {

    private final float[] logits; // [vocab], the owner's
    private final int[] ids;
    private final double[] weights;
    private final TopTokens topTokens;
    private int count;

    /** @param logits the array whose values are looked at, [vocab] */
    Candidates(float[] logits) {
        this.logits = logits;
        this.ids = new int[logits.length];
        this.weights = new double[logits.length];
        this.topTokens = new TopTokens(logits.length);
    }

    void keepAll() {
        count = ids.length;
        for (int id = 0; id < count; id++) {
            ids[id] = id;
        }
    }

    /** Keeps the {@code topK} tokens of largest logits. */
    void keepTop(int topK) {
        count = topTokens.select(logits, 0, logits.length, topK, ids);
    }

    /** Weighs each token by {@code exp((logit - largest) / temperature)}, so that the best weighs 1, and drops those below {@code minP}. */
    void keepAbove(double minP, float largest, double temperature) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            double weight = Math.exp(((double) logits[ids[i]] - largest) / temperature);
            if (weight >= minP && weight > 0) {
                ids[kept] = ids[i];
                weights[kept++] = weight;
            }
        }
        count = kept;
    }

    /** Keeps the fewest tokens, most probable first, that hold {@code topP} of the weight. */
    void keepNucleus(double topP, float largest, double temperature) {
        double needed = topP * total();
        dropTail((total() - needed) / count);
        topTokens.sort(logits, ids, count);
        keepAbove(0, largest, temperature);
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += weights[i];
            if (sum >= needed) {
                count = i + 1;
            }
        }
    }

    /** Drops tokens below {@code least}: all of them together weigh less than what top_p leaves out. Spares sorting them. */
    private void dropTail(double least) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (weights[i] >= least) {
                ids[kept] = ids[i];
                weights[kept++] = weights[i];
            }
        }
        count = kept;
    }

    /** The token in whose share of the total weight {@code uniform}, in [0, 1), falls. */
    int draw(double uniform) {
        double target = uniform * total();
        double sum = 0;
        for (int i = 0; i < count - 1; i++) {
            sum += weights[i];
            if (sum > target) {
                return ids[i];
            }
        }
        return ids[count - 1];
    }

    private double total() {
        double total = 0;
        for (int i = 0; i < count; i++) {
            total += weights[i];
        }
        return total;
    }
}
