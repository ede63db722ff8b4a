package io.millrace.llm.backend;

/**
 * How large a KV cache is.
 *
 * @param layers layers, each with its own keys and values
 * @param numBlocks blocks in the pool; block ids are 0 to numBlocks - 1
 * @param blockSize positions per block
 * @param kvHeads key (and value) heads
 * @param headDim values per head
 */
public record KvShape(int layers, int numBlocks, int blockSize, int kvHeads, int headDim) {}
