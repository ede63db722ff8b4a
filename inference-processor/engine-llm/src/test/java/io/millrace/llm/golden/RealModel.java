package io.millrace.llm.golden;

import io.millrace.modelstore.DefaultModel;
import io.millrace.modelstore.ModelStore;
import java.io.IOException;
import java.nio.file.Path;

/** The default model, for tests on real weights. Fetched into the user's cache once. */
public final class RealModel {

    private RealModel() {}

    /** SmolLM2-135M-Instruct, Q4_1. */
    public static Path smolLm2() throws IOException {
        return ModelStore.open(ModelStore.defaultHome()).fetch(DefaultModel.SMOLLM2, progress -> {});
    }
}
