package io.millrace.llm.model;

import io.millrace.llm.backend.KvSlot;
import io.millrace.llm.backend.Linear;
import io.millrace.llm.backend.RmsNorm;
import io.millrace.llm.backend.RopeFrequencies;
import io.millrace.llm.backend.Weight;
import java.util.List;

/**
 * A model's weights on a backend.
 *
 * @param embedding {@code [vocab, hidden]}
 * @param layers in order
 * @param outputNorm before the head
 * @param head {@code [vocab, hidden]}; the embedding itself where they are tied
 * @param rope radians per position
 */
record Weights(Weight embedding, List<Layer> layers, RmsNorm outputNorm, Linear head, RopeFrequencies rope) {

    Weights {
        layers = List.copyOf(layers);
    }

    /**
     * One transformer layer.
     *
     * @param q {@code [heads · headDim, hidden]}
     * @param k {@code [kvHeads · headDim, hidden]}
     * @param v {@code [kvHeads · headDim, hidden]}
     * @param output {@code [hidden, heads · headDim]}
     * @param gate {@code [intermediate, hidden]}
     * @param up {@code [intermediate, hidden]}
     * @param down {@code [hidden, intermediate]}
     * @param slot where its keys and values are
     */
    record Layer(
            RmsNorm attentionNorm,
            Linear q,
            Linear k,
            Linear v,
            Linear output,
            RmsNorm ffnNorm,
            Linear gate,
            Linear up,
            Linear down,
            KvSlot slot) {}
}
