package io.millrace.llm.backend;

/**
 * Heads of one token's {@code qkv} row: query heads, then key heads, then value heads, each {@code [headDim]}.
 *
 * @param heads query heads, a multiple of kvHeads; query head h reads KV head {@code h / (heads / kvHeads)}
 * @param kvHeads key (and value) heads
 * @param headDim values per head
 * @param ropeDim leading values of each query and key head that are rotated, even, at most headDim
 */
public record AttentionShape(int heads, int kvHeads, int headDim, int ropeDim) {

    /** Values of a token's queries, keys and values. */
    public int qkvWidth() {
        return (heads + 2 * kvHeads) * headDim;
    }

    /** Values of a token's queries, and of its attention output. */
    public int queryWidth() {
        return heads * headDim;
    }

    /** Values of a token's keys, and of its values. */
    public int kvWidth() {
        return kvHeads * headDim;
    }

    /** Query heads that read the same KV head. */
    public int queriesPerKvHead() {
        return heads / kvHeads;
    }

    /** What scores are multiplied with before softmax. */
    public float scale() {
        return (float) (1 / Math.sqrt(headDim));
    }
}
