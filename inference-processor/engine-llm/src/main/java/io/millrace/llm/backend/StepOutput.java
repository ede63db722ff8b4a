package io.millrace.llm.backend;

import io.millrace.llm.sampler.SampledToken;
import java.util.List;

/**
 * What a step drew.
 *
 * @param sampled a token for each item that asked for one, in the items' order
 */
public record StepOutput(List<SampledToken> sampled) {
    public StepOutput {
        sampled = List.copyOf(sampled);
    }
}
