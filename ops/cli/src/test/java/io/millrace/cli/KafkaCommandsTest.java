package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@WithKafka
class KafkaCommandsTest {

    @TempDir
    Path folder;

    @Test
    void shouldCreateTopicsOnceAndSendWhatIsAPrompt(TestKafka kafka) throws IOException {
        String config = config(kafka, TestKafka.uniqueName("cli"));

        Cli created = Cli.run("topics", "create", "--config", config);
        assertThat(created.exitCode()).as(created.err()).isZero();
        assertThat(created.outLines())
                .hasSize(10)
                .filteredOn(line -> line.endsWith("created"))
                .hasSize(9);
        Cli again = Cli.run("topics", "create", "--config", config);
        assertThat(again.outLines()).filteredOn(line -> line.endsWith("exists")).hasSize(9);
        assertThat(again.exitCode()).isZero();
        Cli grown = Cli.run("topics", "create", "--partitions", "5", "--config", config);
        assertThat(grown.exitCode()).isEqualTo(6);
        assertThat(grown.errLines()).first().asString().endsWith("partitions=3, expected=5");

        Cli submitted = Cli.runWith(
                "{\"prompt\":\"a\",\"request_id\":\"r1\"}\n{\"promt\":\"b\"}\n{\"prompt\":\"c\"}\n",
                "submit",
                "--max-tokens",
                "9",
                "--config",
                config,
                "-");
        assertThat(submitted.exitCode()).isEqualTo(4);
        assertThat(submitted.errLines()).first().asString().startsWith("millrace: line 2: promt=\"b\", expected=");
        assertThat(submitted.errLines()).last().asString().contains("Submitted 2 prompts", "1 lines were not prompts");
        assertThat(kafka.readCommitted(prompts))
                .extracting(ConsumerRecord::value)
                .allSatisfy(value -> assertThat(new String(value, java.nio.charset.StandardCharsets.UTF_8))
                        .contains("\"max_tokens\":9"))
                .hasSize(2);

        Cli results = Cli.run("results", "--json", "--config", config);
        assertThat(results.exitCode()).isZero();
        assertThat(results.out()).isEmpty();
    }

    @Test
    void shouldSayThatTopicsAreMissing(TestKafka kafka) throws IOException {
        String config = config(kafka, TestKafka.uniqueName("none"));
        Cli cli = Cli.runWith("{\"prompt\":\"a\"}\n", "submit", "--config", config, "-");
        assertThat(cli.exitCode()).isEqualTo(6);
        assertThat(cli.errLines())
                .containsExactly("millrace: topics=" + prompts
                        + ", expected=topics that exist; 'millrace topics create' makes them");
    }

    @Test
    void shouldRefuseARegistryThatLivesInOneProcess(TestKafka kafka) throws IOException {
        String config = config(kafka, TestKafka.uniqueName("mock"));
        Files.writeString(
                Path.of(config),
                Files.readString(Path.of(config)).replace("kafka:\n", "kafka:\n  schema.registry.url: mock://x\n"));
        Cli cli = Cli.runWith("", "submit", "--config", config, "-");
        assertThat(cli.exitCode()).isEqualTo(3);
        assertThat(cli.errLines())
                .containsExactly(
                        "millrace: schema.registry.url=\"mock://x\", expected=a registry that other processes reach, or"
                                + " none (records are then JSON)");
    }

    private String prompts = "";

    private String config(TestKafka kafka, String prefix) throws IOException {
        prompts = prefix + ".prompts";
        Path file = folder.resolve(prefix + ".yaml");
        Files.writeString(file, """
                application_id: %2$s
                kafka:
                  bootstrap.servers: "%1$s"
                topics:
                  prompts: %2$s.prompts
                  results: %2$s.results
                  metrics: %2$s.metrics
                  engine_metrics: %2$s.engine-metrics
                  failures: %2$s.failures
                  dead_letters: %2$s.dead-letters
                  control: %2$s.control
                  partitions: 3
                """.formatted(kafka.bootstrapServers(), prefix));
        return file.toString();
    }
}
