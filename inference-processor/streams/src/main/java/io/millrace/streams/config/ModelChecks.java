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
        int batched = model.maxNumBatchedTokens();
        if (batched < model.maxNumSeqs()) {
            String blamed = values.has("max_num_batched_tokens") ? "max_num_batched_tokens" : "max_num_seqs";
            problems.error(
                    values.place(blamed),
                    "max_num_batched_tokens=" + batched + ", expected=at least max_num_seqs=" + model.maxNumSeqs());
        }
        if (model.maxModelLen().isEmpty()) {
            return;
        }
        int maxModelLen = model.maxModelLen().getAsInt();
        if (!model.enableChunkedPrefill() && batched < maxModelLen) {
            problems.error(
                    values.place("enable_chunked_prefill"),
                    "enable_chunked_prefill=false with max_num_batched_tokens=" + batched
                            + ", expected=at least max_model_len=" + maxModelLen);
        }
        if (values.has("default_max_tokens") && model.defaultMaxTokens() >= maxModelLen) {
            problems.error(
                    values.place("default_max_tokens"),
                    "default_max_tokens=" + model.defaultMaxTokens() + ", expected=below max_model_len=" + maxModelLen);
        }
    }
}
