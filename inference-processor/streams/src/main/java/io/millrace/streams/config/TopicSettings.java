package io.millrace.streams.config;

/**
 * The topics' names, and how they are created.
 *
 * @param partitions of each topic that is created, but {@code control}
 * @param replicationFactor of each topic that is created
 */
public record TopicSettings(
        String prompts,
        String results,
        String metrics,
        String engineMetrics,
        String failures,
        String deadLetters,
        String control,
        int partitions,
        int replicationFactor) {

    static TopicSettings of(Values values) {
        return new TopicSettings(
                values.text("prompts"),
                values.text("results"),
                values.text("metrics"),
                values.text("engine_metrics"),
                values.text("failures"),
                values.text("dead_letters"),
                values.text("control"),
                values.integer("partitions"),
                values.integer("replication_factor"));
    }
}
