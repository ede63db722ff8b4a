package io.millrace.streams.config;

import io.millrace.engine.SamplingParameters;
import io.millrace.modelstore.ModelSpec;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * One model and the engine that serves it. The budgets have vLLM's names; an empty one is derived by the engine at start-up, which
 * logs how.
 *
 * @param spec the model's name, and where its file comes from
 * @param version as results report it
 * @param engine kind of engine
 * @param backend what the engine computes with: {@code auto}, or a backend by name
 * @param maxModelLen most tokens of prompt and answer together
 * @param maxNumBatchedTokens most tokens of one step
 * @param maxNumSeqs most sequences that run at once
 * @param blockSize tokens of a KV block
 * @param kvCacheMemoryBytes memory of the KV block pool
 * @param enableChunkedPrefill whether a long prompt is computed in pieces, between other sequences' tokens
 * @param threads threads that compute; 0: one for each core
 * @param maxWaiting most requests that wait in the engine
 * @param defaultMaxTokens most tokens of an answer whose prompt names no number
 * @param defaultSampling sampling parameters of a prompt that names none
 */
public record ModelSettings(
        ModelSpec spec,
        Optional<String> version,
        String engine,
        String backend,
        OptionalInt maxModelLen,
        OptionalInt maxNumBatchedTokens,
        int maxNumSeqs,
        int blockSize,
        OptionalLong kvCacheMemoryBytes,
        boolean enableChunkedPrefill,
        int threads,
        int maxWaiting,
        int defaultMaxTokens,
        SamplingParameters defaultSampling) {

    /** The name that prompts use. */
    public String name() {
        return spec.name();
    }

    static ModelSettings of(ModelSpec spec, Values values) {
        return new ModelSettings(
                spec,
                values.optionalText("version"),
                values.text("engine"),
                values.text("backend"),
                values.optionalInteger("max_model_len"),
                values.optionalInteger("max_num_batched_tokens"),
                values.integer("max_num_seqs"),
                values.integer("block_size"),
                values.optionalBytes("kv_cache_memory"),
                values.bool("enable_chunked_prefill"),
                values.integer("threads"),
                values.integer("max_waiting"),
                values.integer("default_max_tokens"),
                sampling(values.section("default_sampling")));
    }

    private static SamplingParameters sampling(Values values) {
        return SamplingParameters.builder()
                .temperature(values.decimal("temperature"))
                .topP(values.decimal("top_p"))
                .topK(values.integer("top_k"))
                .minP(values.decimal("min_p"))
                .repetitionPenalty(values.decimal("repetition_penalty"))
                .build();
    }
}
