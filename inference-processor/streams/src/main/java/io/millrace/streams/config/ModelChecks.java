package io.millrace.streams.config;

import io.millrace.modelstore.ModelSource;

/** What concerns several keys of one model. */
final class ModelChecks {
    private ModelChecks() {}

    static void check(ModelSettings model, Values values, Problems problems) {
        checkBudgets(model, values, problems);
        boolean isRemote = !(model.spec().source() instanceof ModelSource.Local);
        if (isRemote && model.spec().sha256().isEmpty()) {
            problems.warning(
                    values.place("source"),
                    "model '" + model.name() + "' has no sha256: nothing vouches for what is downloaded");
        }
    }

    private static void checkBudgets(ModelSettings model, Values values, Problems problems) {
        int batched = model.maxNumBatchedTokens().orElse(Integer.MAX_VALUE);
        int maxModelLen = model.maxModelLen().orElse(Integer.MAX_VALUE);
        if (values.areSound("max_num_seqs") && batched < model.maxNumSeqs()) {
            problems.error(
                    values.place("max_num_batched_tokens"),
                    "max_num_batched_tokens=" + batched + ", expected=at least max_num_seqs=" + model.maxNumSeqs());
        }
        if (!model.enableChunkedPrefill() && model.maxModelLen().isPresent() && batched < maxModelLen) {
            problems.error(
                    values.place("max_num_batched_tokens"),
                    "max_num_batched_tokens=" + batched + ", expected=at least max_model_len=" + maxModelLen
                            + " for enable_chunked_prefill=false");
        }
        if (values.has("default_max_tokens") && model.defaultMaxTokens() >= maxModelLen) {
            problems.error(
                    values.place("default_max_tokens"),
                    "default_max_tokens=" + model.defaultMaxTokens() + ", expected=below max_model_len=" + maxModelLen);
        }
    }
}
