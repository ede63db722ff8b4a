package io.millrace.cli;

/** The beginning of a configuration whose application and topics have names of their own, beside those of other tests at the broker. */
public final class TestConfig {

    private TestConfig() {}

    /** @param kafka more lines of its section */
    static String yaml(String bootstrapServers, String name, int partitions, String... kafka) {
        StringBuilder more = new StringBuilder();
        for (String line : kafka) {
            more.append("  ").append(line).append('\n');
        }
        return "kafka:\n  bootstrap.servers: \"" + bootstrapServers + "\"\n" + more + yaml(name, partitions);
    }

    /** The same without Kafka. It ends within the topics' section. */
    public static String yaml(String name, int partitions) {
        return """
                application_id: %1$s
                topics:
                  prompts: %1$s.prompts
                  results: %1$s.results
                  metrics: %1$s.metrics
                  engine_metrics: %1$s.engine-metrics
                  failures: %1$s.failures
                  dead_letters: %1$s.dead-letters
                  control: %1$s.control
                  partitions: %2$d
                """.formatted(name, partitions);
    }
}
