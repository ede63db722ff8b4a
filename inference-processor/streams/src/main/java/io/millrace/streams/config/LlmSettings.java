package io.millrace.streams.config;

import io.millrace.modelstore.ModelSpec;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A model that is computed here. An empty budget is derived by the engine at start-up, which logs how.
 *
 * @param spec the model's name, and where its file comes from
 * @param backend what the engine computes with: {@code auto}, or a backend by name
 * @param maxNumBatchedTokens most tokens of one step
 * @param blockSize tokens of a KV block
 * @param kvCacheMemoryBytes memory of the KV block pool
 * @param enableChunkedPrefill whether a long prompt is computed in pieces, between other sequences' tokens
 * @param threads threads that compute; 0: one for each core
 */
public record LlmSettings(
        ModelSpec spec,
        String backend,
        OptionalInt maxNumBatchedTokens,
        int blockSize,
        OptionalLong kvCacheMemoryBytes,
        boolean enableChunkedPrefill,
        int threads)
        implements EngineSettings {

    static final String ENGINE = "llm";
    static final int DEFAULT_MAX_NUM_SEQS = 32;

    @Override
    public String kind() {
        return ENGINE;
    }

    static LlmSettings of(ModelSpec spec, Values values) {
        return new LlmSettings(
                spec,
                values.text("backend"),
                values.optionalInteger("max_num_batched_tokens"),
                values.integer("block_size"),
                values.optionalBytes("kv_cache_memory"),
                values.bool("enable_chunked_prefill"),
                values.integer("threads"));
    }
}
