package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.architecture.Checkout;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.servers.InferenceServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's configuration for Triton, as it is printed but for its hosts, with a real Triton behind it and Kafka before it. */
@Tag("servers")
@WithKafka
class TritonProcessTest {

    @TempDir
    Path folder;

    private static String ofReadme() {
        Matcher blocks = Pattern.compile("(?s)```yaml\\n(.*?)```")
                .matcher(Checkout.find().text("README.md"));
        return blocks.results()
                .map(block -> block.group(1))
                .filter(block -> block.contains("open-inference"))
                .findFirst()
                .orElseThrow();
    }

    private String config(TestKafka kafka, String name, String models) throws Exception {
        String yaml =
                TestConfig.yaml(kafka.bootstrapServers(), name, 2, "state.dir: \"" + folder.resolve("streams") + "\"");
        return Files.writeString(
                        folder.resolve(name + ".yaml"), yaml + "http: {port: \"${MILLRACE_TEST_PORT:-0}\"}\n" + models)
                .toString();
    }

    @Test
    void shouldAnswerPromptsAsTheReadmeSays(TestKafka kafka) throws Exception {
        InferenceServer.Kind kind = InferenceServer.Kind.TRITON;
        Assumptions.assumeTrue(kind.find().isPresent(), kind.missing());
        try (InferenceServer server = InferenceServer.start(kind, folder.resolve("triton.log"))) {
            String models = ofReadme().replace("http://gpu-1:8000", server.url().toString());
            String name = TestKafka.uniqueName("triton");
            String config = config(kafka, name, models);
            assertThat(Cli.run("topics", "create", "--replication-factor", "1", "--config", config)
                            .exitCode())
                    .isZero();

            Cli doctor = Cli.run("doctor", "--config", config);
            assertThat(doctor.out())
                    .contains("  ok       on-triton: endpoint a (" + server.url() + ") model llm is ready")
                    .contains("0 errors");

            kafka.produce(
                    List.of(
                            prompt(name, "{\"operation\":\"generate\",\"prompt\":\"hello you\",\"max_tokens\":3}"),
                            prompt(name, "{\"prompt\":\"a chat\"}"),
                            prompt(
                                    name,
                                    "{\"operation\":\"generate\",\"prompt\":\"x\",\"extra_body\":\"{\\\"delay_ms\\\": \\\"long\\\"}\"}")));
            try (var worker = ProcessWorker.start("worker", Path.of(config), folder)) {
                await().atMost(Duration.ofMinutes(3))
                        .pollInterval(Duration.ofMillis(200))
                        .untilAsserted(() -> {
                            assertThat(kafka.readCommitted(name + ".results"))
                                    .as(worker::log)
                                    .hasSize(1);
                            assertThat(kafka.readCommitted(name + ".failures"))
                                    .as(worker::log)
                                    .hasSize(2);
                        });
                worker.terminate();
            }
            assertThat(texts(kafka, name + ".results").getFirst())
                    .contains(
                            "\"text\":\"hello you hello\"",
                            "\"finish_reason\":\"length\"",
                            "\"model_version\":\"1\"",
                            "\"endpoint\":\"a\"",
                            "\"prompt_tokens\":2",
                            "\"completion_tokens\":3");
            assertThat(texts(kafka, name + ".failures"))
                    .allMatch(failure -> failure.contains("INVALID_REQUEST"))
                    .anyMatch(failure -> failure.contains("Unable to parse 'data'"))
                    .anyMatch(failure ->
                            failure.contains("operation=chat, expected=generate, for protocol open-inference"));

            // what doctor says to a user whose model is not there
            Cli missing = Cli.run("doctor", "--config", config(kafka, name, models.replace("model: llm", "model: lm")));
            assertThat(missing.exitCode()).as(missing.out()).isEqualTo(5);
            assertThat(missing.out())
                    .contains("  error    on-triton: endpoint a (" + server.url()
                            + ") status=400: Model version not ready");
        }
    }

    private static ProducerRecord<byte[], byte[]> prompt(String name, String json) {
        return new ProducerRecord<>(name + ".prompts", json.getBytes(StandardCharsets.UTF_8));
    }

    private static List<String> texts(TestKafka kafka, String topic) {
        return kafka.readCommitted(topic).stream()
                .map(each -> new String(each.value(), StandardCharsets.UTF_8))
                .toList();
    }
}
