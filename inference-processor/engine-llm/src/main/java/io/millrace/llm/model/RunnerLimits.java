package io.millrace.llm.model;

/**
 * Bounds of a {@link ModelRunner}: all of its memory is allocated by them.
 *
 * @param maxNumBatchedTokens most tokens of a step, at least maxNumSeqs
 * @param maxNumSeqs most items of a step
 * @param numBlocks KV blocks in the pool of each KV group
 * @param blockSize positions per KV block
 */
public record RunnerLimits(int maxNumBatchedTokens, int maxNumSeqs, int numBlocks, int blockSize) {

    public RunnerLimits {
        check("max_num_seqs", maxNumSeqs, maxNumSeqs >= 1, "at least 1");
        check(
                "max_num_batched_tokens",
                maxNumBatchedTokens,
                maxNumBatchedTokens >= maxNumSeqs,
                "at least max_num_seqs=" + maxNumSeqs);
        check("num_blocks", numBlocks, numBlocks >= 1, "at least 1");
        check("block_size", blockSize, blockSize >= 1, "at least 1");
    }

    private static void check(String name, int value, boolean valid, String expected) {
        if (!valid) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=" + expected);
        }
    }
}
