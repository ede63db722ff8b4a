package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README says of tests without a model: {@code process} with {@code engine: echo}. */
@WithKafka
class EchoProcessTest {

    @TempDir
    Path folder;

    @Test
    void shouldAnswerPromptsWithoutAModel(TestKafka kafka) throws Exception {
        String name = TestKafka.uniqueName("echo");
        Path config = folder.resolve("millrace.yaml");
        String state = "state.dir: \"" + folder.resolve("streams") + "\"";
        Files.writeString(config, TestConfig.yaml(kafka.bootstrapServers(), name, 2, state) + """
                models:
                  mirror: { engine: echo, version: "7", echo: { delay: 10ms, tokens_per_second: 1000 } }
                http: { port: "${MILLRACE_TEST_PORT:-0}" }
                """);
        assertThat(Cli.run("topics", "create", "--config", config.toString()).exitCode())
                .isZero();
        kafka.produce(List.of(
                prompt(name, "{\"prompt\":\"hello you\"}"), prompt(name, "{\"prompt\":\"a\",\"extra_body\":\"{}\"}")));

        try (var worker = ProcessWorker.start("echo", config, folder)) {
            await("answers:\n" + worker.log())
                    .atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> kafka.readCommitted(name + ".results").size() == 1
                            && kafka.readCommitted(name + ".failures").size() == 1);
            worker.terminate();
        }
        assertThat(text(kafka, name + ".results"))
                .contains("\"text\":\"hello you\"", "\"model\":\"mirror\"", "\"model_version\":\"7\"");
        assertThat(text(kafka, name + ".failures"))
                .contains("INVALID_REQUEST", "extra_body={}, expected=none: this model is not on a remote server");
    }

    private static ProducerRecord<byte[], byte[]> prompt(String name, String json) {
        return new ProducerRecord<>(name + ".prompts", json.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(TestKafka kafka, String topic) {
        return new String(kafka.readCommitted(topic).getFirst().value(), StandardCharsets.UTF_8);
    }
}
