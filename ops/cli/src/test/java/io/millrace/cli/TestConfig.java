package io.millrace.cli;

/** The beginning of a configuration whose application and topics have names of their own, beside those of other tests at the broker. */
final class TestConfig {

    private TestConfig() {}

    /** @param kafka more lines of its section */
    static String yaml(String bootstrapServers, String name, int partitions, String... kafka) {
        StringBuilder more = new StringBuilder();
        for (String line : kafka) {
            more.append("  ").append(line).append('\n');
        }
        return """
                application_id: %2$s
                kafka:
                  bootstrap.servers: "%1$s"
                %4$stopics:
                  prompts: %2$s.prompts
                  results: %2$s.results
                  metrics: %2$s.metrics
                  engine_metrics: %2$s.engine-metrics
                  failures: %2$s.failures
                  dead_letters: %2$s.dead-letters
                  control: %2$s.control
                  partitions: %3$d
                """.formatted(bootstrapServers, name, partitions, more);
    }
}
