package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.config.ConfigResource;
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

    @Test
    void shouldCheckTopicsAndFixWhatIsSafe(TestKafka kafka) throws IOException {
        String name = TestKafka.uniqueName("check");
        String config = config(kafka, name);
        Cli none = Cli.run("topics", "check", "--config", config);
        assertThat(none.exitCode()).isEqualTo(6);
        assertThat(none.outLines().get(1))
                .containsSubsequence("ERROR", name + ".prompts and 6 others", "absent", "exists");

        Cli.run("topics", "create", "--config", config);
        Cli created = Cli.run("topics", "check", "--config", config);
        assertThat(created.exitCode()).as(created.out()).isZero();
        assertThat(created.outLines())
                .as("one broker, one copy")
                .filteredOn(line -> line.contains("NOTE"))
                .singleElement()
                .asString()
                .contains("replicas");
        assertThat(created.out()).doesNotContain("WARNING", "ERROR").contains("isolation.level=read_committed");

        String changelog = name + "-pending-changelog";
        setTopic(kafka, changelog, "cleanup.policy", "delete");
        setTopic(kafka, changelog, "segment.ms", "604800000");
        Cli broken = Cli.run("topics", "check", "--config", config);
        assertThat(broken.exitCode()).isEqualTo(6);
        Cli fixed = Cli.run("topics", "check", "--fix", "--config", config);
        assertThat(fixed.exitCode()).as(fixed.out()).isZero();
        assertThat(fixed.outLines())
                .contains(
                        "Changed " + changelog + ": segment.ms from 604800000 to 60000",
                        "Changed " + changelog + ": cleanup.policy from delete to compact");
        assertThat(Cli.run("topics", "check", "--config", config).out()).doesNotContain("WARNING", "ERROR");
    }

    @Test
    void shouldGrowTopicsAndSaySo(TestKafka kafka) throws IOException {
        String name = TestKafka.uniqueName("grow");
        String config = config(kafka, name);
        Cli none = Cli.run("topics", "grow", "--partitions", "4", "--config", config);
        assertThat(none.exitCode()).isEqualTo(6);
        assertThat(none.errLines())
                .containsExactly(
                        "millrace: " + prompts + ": topic=absent, expected=exists. Remedy: millrace topics create");

        Cli.run("topics", "create", "--config", config);
        Cli told = Cli.run("topics", "grow", "--partitions", "4", "--dry-run", "--config", config);
        assertThat(told.exitCode()).as(told.err()).isZero();
        assertThat(told.outLines())
                .hasSize(8)
                .endsWith(
                        "Would delete " + name + "-pending-changelog, which holds no prompts",
                        "Would grow " + prompts + " from 3 to 4 partitions",
                        "Would create " + name + "-pending-changelog with 4 partitions");
        assertThat(kafka.partitions(prompts)).hasSize(3);

        Cli grown = Cli.run("topics", "grow", "--partitions", "4", "--config", config);
        assertThat(grown.exitCode()).as(grown.err()).isZero();
        assertThat(grown.outLines())
                .hasSize(9)
                .contains("Grew " + prompts + " from 3 to 4 partitions")
                .last()
                .isEqualTo("Done. Set topics.partitions: 4 in the configuration, and start the instances.");
        assertThat(kafka.partitions(prompts)).hasSize(4);
        assertThat(Cli.run("topics", "grow", "--partitions", "4", "--config", config)
                        .outLines())
                .containsExactly(
                        "Nothing to do: " + prompts + " has 4 partitions, and so have the topics that must follow it.");

        Cli fewer = Cli.run("topics", "grow", "--partitions", "3", "--config", config);
        assertThat(fewer.exitCode()).isEqualTo(6);
        assertThat(fewer.errLines()).singleElement().asString().contains("expected=more than 4");
        assertThat(Cli.run("topics", "grow", "--config", config).exitCode()).isEqualTo(2);
        assertThat(Cli.run("topics", "grow", "--partitions", "0", "--config", config)
                        .errLines())
                .first()
                .isEqualTo("millrace: --partitions=0, expected=1 or more");
    }

    private static void setTopic(TestKafka kafka, String topic, String setting, String value) {
        var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        var operation = new AlterConfigOp(new ConfigEntry(setting, value), AlterConfigOp.OpType.SET);
        kafka.admin().incrementalAlterConfigs(Map.of(resource, List.of(operation)));
        await().until(() -> kafka.admin().describeConfigs(List.of(resource)).all().get().values().stream()
                .allMatch(config -> value.equals(config.get(setting).value())));
    }

    private String prompts = "";

    private String config(TestKafka kafka, String prefix) throws IOException {
        prompts = prefix + ".prompts";
        Path file = folder.resolve(prefix + ".yaml");
        Files.writeString(file, TestConfig.yaml(kafka.bootstrapServers(), prefix, 3));
        return file.toString();
    }
}
