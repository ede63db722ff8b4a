package io.millrace.streams.intake;

import io.millrace.engine.InferenceEngine;
import io.millrace.engine.SamplingParameters;

/**
 * A model that prompts can ask for.
 *
 * @param defaults for parameters that a prompt leaves out
 */
public record ServedModel(InferenceEngine engine, SamplingParameters defaults) {}
