package io.millrace.llm.runtime;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How an {@link LlmEngine} is set up, by vLLM's names. Every instance is valid in itself: the constructor throws {@link
 * IllegalArgumentException} naming the option, its value and what was expected. What depends on the model is checked by
 * {@link EngineBudgets#derive}.
 *
 * @param maxModelLen most tokens of prompt and answer together, at least 2; empty: as the model and the memory allow
 * @param maxNumBatchedTokens most tokens of a step, at least maxNumSeqs; empty: {@value #DEFAULT_MAX_NUM_BATCHED_TOKENS}, or
 *     more where maxNumSeqs or whole prompts need it
 * @param maxNumSeqs most sequences that run at once, at least 1
 * @param blockSize tokens of a KV block, 1 to {@value #MAX_BLOCK_SIZE}
 * @param kvCacheMemoryBytes memory of the KV cache, at least 1; empty: derived
 * @param enableChunkedPrefill whether a prompt may be computed over several steps
 * @param threads threads that compute; 0: all of the machine's
 * @param backend {@code auto}, {@code cpu} or {@code reference}
 * @param maxWaiting most requests that wait for a place in the batch, at least 1. Each holds its text and at most max_model_len
 *     × 4 bytes of token ids. Deep enough for tenants to be told apart: the queue is where they take turns
 * @param defaultMaxTokens answer length of a request that states none, at least 1
 * @param modelVersion as results report it
 * @param modelDigest {@code sha256:<hex>} of the file where it is known; empty: computed at start-up
 */
public record LlmEngineOptions(
        OptionalInt maxModelLen,
        OptionalInt maxNumBatchedTokens,
        int maxNumSeqs,
        int blockSize,
        OptionalLong kvCacheMemoryBytes,
        boolean enableChunkedPrefill,
        int threads,
        String backend,
        int maxWaiting,
        int defaultMaxTokens,
        Optional<String> modelVersion,
        Optional<String> modelDigest) {

    /**
     * On a CPU, throughput is flat from about this many tokens on (one dequantized tile serves them all), and a step of this
     * many is the longest that decoding sequences have to wait for.
     */
    public static final int DEFAULT_MAX_NUM_BATCHED_TOKENS = 512;

    /** Beyond this the last, half-empty block of each sequence wastes more than the table saves. */
    public static final int MAX_BLOCK_SIZE = 256;

    /** Every option at its default. */
    public static final LlmEngineOptions DEFAULT = new LlmEngineOptions(
            OptionalInt.empty(),
            OptionalInt.empty(),
            32,
            16,
            OptionalLong.empty(),
            true,
            0,
            "auto",
            1024,
            256,
            Optional.empty(),
            Optional.empty());

    public LlmEngineOptions {
        maxModelLen.ifPresent(value -> check("max_model_len", value, value >= 2, "at least 2"));
        check("max_num_seqs", maxNumSeqs, maxNumSeqs >= 1, "at least 1");
        int seqs = maxNumSeqs;
        maxNumBatchedTokens.ifPresent(
                value -> check("max_num_batched_tokens", value, value >= seqs, "at least max_num_seqs=" + seqs));
        check("block_size", blockSize, blockSize >= 1 && blockSize <= MAX_BLOCK_SIZE, "1 to " + MAX_BLOCK_SIZE);
        kvCacheMemoryBytes.ifPresent(value -> check("kv_cache_memory", value, value >= 1, "at least 1 byte"));
        check("threads", threads, threads >= 0, "0 (all) or more");
        check("max_waiting", maxWaiting, maxWaiting >= 1, "at least 1");
        check("default_max_tokens", defaultMaxTokens, defaultMaxTokens >= 1, "at least 1");
    }

    /** A builder that starts at {@link #DEFAULT}. */
    public static Builder builder() {
        return new Builder();
    }

    private static void check(String name, long value, boolean valid, String expected) {
        if (!valid) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=" + expected);
        }
    }

    /** Sets options by name; {@link #build} checks them. Not for use by several threads. */
    public static final class Builder {
        private OptionalInt maxModelLen = DEFAULT.maxModelLen;
        private OptionalInt maxNumBatchedTokens = DEFAULT.maxNumBatchedTokens;
        private int maxNumSeqs = DEFAULT.maxNumSeqs;
        private int blockSize = DEFAULT.blockSize;
        private OptionalLong kvCacheMemoryBytes = DEFAULT.kvCacheMemoryBytes;
        private boolean enableChunkedPrefill = DEFAULT.enableChunkedPrefill;
        private int threads = DEFAULT.threads;
        private String backend = DEFAULT.backend;
        private int maxWaiting = DEFAULT.maxWaiting;
        private int defaultMaxTokens = DEFAULT.defaultMaxTokens;
        private Optional<String> modelVersion = DEFAULT.modelVersion;
        private Optional<String> modelDigest = DEFAULT.modelDigest;

        private Builder() {}

        public Builder maxModelLen(int value) {
            maxModelLen = OptionalInt.of(value);
            return this;
        }

        public Builder maxNumBatchedTokens(int value) {
            maxNumBatchedTokens = OptionalInt.of(value);
            return this;
        }

        public Builder maxNumSeqs(int value) {
            maxNumSeqs = value;
            return this;
        }

        public Builder blockSize(int value) {
            blockSize = value;
            return this;
        }

        public Builder kvCacheMemoryBytes(long value) {
            kvCacheMemoryBytes = OptionalLong.of(value);
            return this;
        }

        public Builder enableChunkedPrefill(boolean value) {
            enableChunkedPrefill = value;
            return this;
        }

        public Builder threads(int value) {
            threads = value;
            return this;
        }

        public Builder backend(String value) {
            backend = value;
            return this;
        }

        public Builder maxWaiting(int value) {
            maxWaiting = value;
            return this;
        }

        public Builder defaultMaxTokens(int value) {
            defaultMaxTokens = value;
            return this;
        }

        public Builder modelVersion(String value) {
            modelVersion = Optional.of(value);
            return this;
        }

        public Builder modelDigest(String value) {
            modelDigest = Optional.of(value);
            return this;
        }

        /**
         * The options.
         *
         * @throws IllegalArgumentException when one is out of range
         */
        public LlmEngineOptions build() {
            return new LlmEngineOptions(
                    maxModelLen,
                    maxNumBatchedTokens,
                    maxNumSeqs,
                    blockSize,
                    kvCacheMemoryBytes,
                    enableChunkedPrefill,
                    threads,
                    backend,
                    maxWaiting,
                    defaultMaxTokens,
                    modelVersion,
                    modelDigest);
        }
    }
}
