package io.millrace.llm.sampler;

import io.millrace.engine.Output.PositionLogprobs;
import java.util.Optional;

/**
 * A drawn token.
 *
 * @param logprobs present when asked for
 */
public record SampledToken(int id, Optional<PositionLogprobs> logprobs) {}
