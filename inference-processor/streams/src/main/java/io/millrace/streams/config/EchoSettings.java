package io.millrace.streams.config;

import java.time.Duration;

/**
 * No model: an engine that answers with the prompt's own words.
 *
 * @param delay from the start of a prompt to its first word
 * @param tokensPerSecond words that each prompt gets a second after its first
 */
public record EchoSettings(Duration delay, double tokensPerSecond) implements EngineSettings {

    static final String ENGINE = "echo";

    /** Where the configuration has no {@code max_model_len}: as large models have. */
    public static final int DEFAULT_MAX_MODEL_LEN = 131_072;

    @Override
    public String kind() {
        return ENGINE;
    }

    static EchoSettings of(Values values) {
        return new EchoSettings(values.duration("delay"), values.decimal("tokens_per_second"));
    }
}
