package io.millrace.streams.config;

import io.millrace.engine.SamplingParameters;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One model and the engine that serves it. The budgets have vLLM's names.
 *
 * @param name the name that prompts use
 * @param version as results report it
 * @param maxModelLen most tokens of prompt and answer together
 * @param maxNumSeqs most sequences that run at once, or requests that are in flight
 * @param maxWaiting most requests that wait in the engine
 * @param defaultMaxTokens most tokens of an answer whose prompt names no number
 * @param defaultSampling sampling parameters of a prompt that names none
 * @param engine what only this kind of engine has
 */
public record ModelSettings(
        String name,
        Optional<String> version,
        OptionalInt maxModelLen,
        int maxNumSeqs,
        int maxWaiting,
        int defaultMaxTokens,
        SamplingParameters defaultSampling,
        EngineSettings engine) {

    static ModelSettings of(String name, EngineSettings engine, Values values) {
        return new ModelSettings(
                name,
                values.optionalText("version"),
                values.optionalInteger("max_model_len"),
                values.optionalInteger("max_num_seqs")
                        .orElse(
                                engine instanceof LlmSettings
                                        ? LlmSettings.DEFAULT_MAX_NUM_SEQS
                                        : RemoteSettings.DEFAULT_MAX_NUM_SEQS),
                values.integer("max_waiting"),
                values.integer("default_max_tokens"),
                sampling(values.section("default_sampling")),
                engine);
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
