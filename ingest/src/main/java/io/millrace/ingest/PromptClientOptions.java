package io.millrace.ingest;

import java.time.Duration;
import java.util.Map;

/**
 * How a {@link PromptClient} works.
 *
 * @param kafka Kafka's and the registry's properties by their names, for the producer, the consumer and the formats of
 *     records: {@code bootstrap.servers}, {@code security.protocol}, {@code schema.registry.url}, …
 * @param topics the processor's
 * @param maxOutstanding most prompts that are submitted and not answered, 1 or more; each takes some hundred bytes here
 * @param timeout how long an answer may take where the prompt does not say, above zero
 */
public record PromptClientOptions(Map<String, Object> kafka, Topics topics, int maxOutstanding, Duration timeout) {

    /** A processor's batch and the queue behind it, several times. */
    public static final int DEFAULT_MAX_OUTSTANDING = 1_000;

    /** Longer than any answer takes whose sender still waits. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(10);

    /** Its nanoseconds are far from overflowing. */
    static final Duration LONGEST_TIMEOUT = Duration.ofDays(365);

    /** Names of the processor's topics. */
    public record Topics(String prompts, String results, String failures, String deadLetters) {

        /** What a processor uses that is not told otherwise. */
        public static final Topics DEFAULT =
                new Topics("millrace.prompts", "millrace.results", "millrace.failures", "millrace.dead-letters");
    }

    public PromptClientOptions {
        kafka = Map.copyOf(kafka);
        if (maxOutstanding < 1) {
            throw new IllegalArgumentException("maxOutstanding=" + maxOutstanding + ", expected=1 or more");
        }
        requireTimeout("timeout", timeout);
    }

    static void requireTimeout(String name, Duration timeout) {
        if (!timeout.isPositive() || timeout.compareTo(LONGEST_TIMEOUT) > 0) {
            throw new IllegalArgumentException(
                    name + "=" + timeout + ", expected=above zero, to " + LONGEST_TIMEOUT.toDays() + " days");
        }
    }

    /** The defaults, with these properties of Kafka. */
    public static PromptClientOptions of(Map<String, ?> kafka) {
        return new PromptClientOptions(Map.copyOf(kafka), Topics.DEFAULT, DEFAULT_MAX_OUTSTANDING, DEFAULT_TIMEOUT);
    }

    public PromptClientOptions withTopics(Topics names) {
        return new PromptClientOptions(kafka, names, maxOutstanding, timeout);
    }

    public PromptClientOptions withMaxOutstanding(int prompts) {
        return new PromptClientOptions(kafka, topics, prompts, timeout);
    }

    public PromptClientOptions withTimeout(Duration time) {
        return new PromptClientOptions(kafka, topics, maxOutstanding, time);
    }
}
