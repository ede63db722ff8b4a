package io.millrace.cli;

import io.millrace.devstack.SchemaRegistryServer;
import io.millrace.schemas.serde.RecordFormat;
import io.millrace.streams.config.KafkaSettings;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.TopicSettings;
import java.io.PrintStream;
import org.jspecify.annotations.Nullable;

/** What {@code millrace dev} says once all is up: how to connect, in lines that can be pasted. */
final class DevGreeting {

    private final MillraceConfig config;
    private final @Nullable SchemaRegistryServer registry;
    private final @Nullable Processor processor;
    private final RecordFormat format;

    DevGreeting(
            MillraceConfig config,
            @Nullable SchemaRegistryServer registry,
            @Nullable Processor processor,
            RecordFormat format) {
        this.config = config;
        this.registry = registry;
        this.processor = processor;
        this.format = format;
    }

    void print(Terminal terminal) {
        PrintStream out = terminal.out();
        TopicSettings topics = config.topics();
        String bootstrap = config.kafka().properties().get(KafkaSettings.BOOTSTRAP_SERVERS);
        out.println("Kafka            " + bootstrap);
        out.println("Schema registry  " + (registry == null ? "none" : registry.url()));
        out.println("Processor        "
                + (processor == null
                        ? "none"
                        : String.join(", ", processor.app().status().engines().keySet()) + ", records are " + format));
        out.println("Topics           " + String.join(", ", topics.prompts(), topics.results(), topics.failures())
                + " and others");
        out.println();
        out.println("As millrace.yaml, for ./millrace submit, results, process and others:");
        out.println();
        out.println("  kafka:");
        out.println("    bootstrap.servers: \"" + bootstrap + "\"");
        if (registry != null) {
            out.println("    schema.registry.url: \"" + registry.url() + "\"");
        }
        out.println("    value.format: " + format.name().toLowerCase(java.util.Locale.ROOT));
        if (format == RecordFormat.JSON) {
            printKcat(out, bootstrap, topics);
        }
        out.println();
        out.println("Clients in Python, JavaScript and Java: ops/quickstart/README.md. Ctrl-C stops all of it.");
        out.flush();
    }

    private static void printKcat(PrintStream out, @Nullable String bootstrap, TopicSettings topics) {
        out.println();
        out.println("A prompt, and what came of it:");
        out.println();
        out.println(
                "  echo '{\"prompt\": \"Name three rivers.\"}' | kcat -P -b " + bootstrap + " -t " + topics.prompts());
        out.println("  kcat -C -b " + bootstrap + " -t " + topics.results() + " -o beginning -c 1"
                + " -X isolation.level=read_committed");
    }
}
