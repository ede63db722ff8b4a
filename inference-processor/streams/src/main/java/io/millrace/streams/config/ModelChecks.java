package io.millrace.streams.config;

import io.millrace.modelstore.ModelSource;
import java.util.List;
import java.util.Map;

/** What concerns several keys of one model. */
final class ModelChecks {
    private ModelChecks() {}

    /**
     * A key that has no say in this model is a slip: it tells of another engine than the one that was named.
     *
     * @return whether there is one
     */
    static boolean refuseKeysOfOtherEngines(Values values, Problems problems) {
        String engine = values.text("engine");
        String is = values.has("engine") ? "engine=" + engine + ", expected=" : "engine is absent, expected=engine: ";
        boolean found = false;
        for (Map.Entry<String, List<Key>> other : ModelKeys.BY_ENGINE.entrySet()) {
            for (Key key : other.getValue()) {
                if (!other.getKey().equals(engine) && values.has(key.name())) {
                    found = true;
                    problems.error(values.place(key.name()), is + other.getKey() + ", which alone has " + key.name());
                }
            }
        }
        return found;
    }

    static void check(ModelSettings model, Values values, Problems problems) {
        int maxModelLen = model.maxModelLen().orElse(Integer.MAX_VALUE);
        if (values.has("default_max_tokens") && model.defaultMaxTokens() >= maxModelLen) {
            problems.error(
                    values.place("default_max_tokens"),
                    "default_max_tokens=" + model.defaultMaxTokens() + ", expected=below max_model_len=" + maxModelLen);
        }
        if (model.engine() instanceof LlmSettings llm) {
            checkBudgets(model, llm, values, problems);
            checkSource(model, llm, values, problems);
        }
    }

    private static void checkBudgets(ModelSettings model, LlmSettings llm, Values values, Problems problems) {
        int batched = llm.maxNumBatchedTokens().orElse(Integer.MAX_VALUE);
        int maxModelLen = model.maxModelLen().orElse(Integer.MAX_VALUE);
        if (values.areSound("max_num_seqs") && batched < model.maxNumSeqs()) {
            problems.error(
                    values.place("max_num_batched_tokens"),
                    "max_num_batched_tokens=" + batched + ", expected=at least max_num_seqs=" + model.maxNumSeqs());
        }
        if (!llm.enableChunkedPrefill() && model.maxModelLen().isPresent() && batched < maxModelLen) {
            problems.error(
                    values.place("max_num_batched_tokens"),
                    "max_num_batched_tokens=" + batched + ", expected=at least max_model_len=" + maxModelLen
                            + " for enable_chunked_prefill=false");
        }
    }

    private static void checkSource(ModelSettings model, LlmSettings llm, Values values, Problems problems) {
        boolean isFetched = !(llm.spec().source() instanceof ModelSource.Local);
        if (isFetched && llm.spec().sha256().isEmpty()) {
            problems.warning(
                    values.place("source"),
                    "model '" + model.name() + "' has no sha256: nothing vouches for what is downloaded");
        }
    }
}
