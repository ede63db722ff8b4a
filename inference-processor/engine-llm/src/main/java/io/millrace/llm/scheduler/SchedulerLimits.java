package io.millrace.llm.scheduler;

import io.millrace.llm.kvcache.KvBlocks;

/**
 * The scheduler's budgets.
 *
 * @param maxNumBatchedTokens tokens of a step; at least {@code maxNumSeqs}, so that each running sequence can have its next
 *     token in each step; for {@link PrefillMode#WHOLE} at least {@code maxModelLen}, so that each prompt fits
 * @param maxNumSeqs sequences that run at once, at least 1
 * @param maxModelLen tokens of one sequence; its blocks fit each pool, so that one sequence alone can always finish
 * @param numBlocks KV blocks of each KV group
 * @param blockSize tokens of a block
 * @param kvGroups KV groups of the model, each with blocks of its own
 * @param prefillMode how prompts enter steps
 */
public record SchedulerLimits(
        int maxNumBatchedTokens,
        int maxNumSeqs,
        int maxModelLen,
        int numBlocks,
        int blockSize,
        int kvGroups,
        PrefillMode prefillMode) {

    public SchedulerLimits {
        check("max_num_seqs", maxNumSeqs, maxNumSeqs >= 1, "at least 1");
        check("block_size", blockSize, blockSize >= 1, "at least 1");
        check("kv_groups", kvGroups, kvGroups >= 1, "at least 1");
        check("max_model_len", maxModelLen, maxModelLen >= 2, "at least 2: a prompt's token and an answer's");
        check(
                "max_num_batched_tokens",
                maxNumBatchedTokens,
                maxNumBatchedTokens >= maxNumSeqs,
                "at least max_num_seqs=" + maxNumSeqs);
        if (prefillMode == PrefillMode.WHOLE) {
            check(
                    "max_num_batched_tokens",
                    maxNumBatchedTokens,
                    maxNumBatchedTokens >= maxModelLen,
                    "at least max_model_len=" + maxModelLen + ", for enable_chunked_prefill=false");
        }
        int needed = KvBlocks.blocksFor(maxModelLen, blockSize);
        check("num_blocks", numBlocks, numBlocks >= needed, needed + " or more, for max_model_len=" + maxModelLen);
    }

    private static void check(String name, int value, boolean valid, String expected) {
        if (!valid) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=" + expected);
        }
    }
}
