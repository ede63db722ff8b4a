package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.WithRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevCommandTest {

    private static final Duration PATIENCE = Duration.ofMinutes(4);

    @TempDir
    Path folder;

    @Test
    void shouldBringAKafkaWithTopicsAndTakeItAwayOnSigterm() throws Exception {
        try (Dev dev = Dev.start(folder, List.of("--no-processor", "--no-registry", "--port", "0"))) {
            String bootstrap = dev.awaitLine("Kafka +(127\\.0\\.0\\.1:\\d+)");
            dev.awaitReady();
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
                assertThat(admin.listTopics().names().get(1, TimeUnit.MINUTES))
                        .contains("millrace.prompts", "millrace.results", "millrace.failures", "millrace.control");
            }
            assertThat(dev.output())
                    .contains("Schema registry  none", "Processor        none")
                    .contains("| kcat -P -b " + bootstrap + " -t millrace.prompts\n")
                    .contains("  kcat -C -b " + bootstrap + " -t millrace.results -o beginning -c 1")
                    .contains("    bootstrap.servers: \"" + bootstrap + "\"\n    value.format: json\n");

            dev.stop();
            assertThat(dev.process().exitValue()).isEqualTo(ExitCode.INTERRUPTED.value + 13); // SIGTERM's
            try (var left = Files.list(dev.temporary())) {
                assertThat(left.filter(path -> path.toString().contains("millrace-kafka")))
                        .isEmpty();
            }
        }
    }

    @Test
    void shouldServeTheModelsOfTheConfigurationAndKeepWhatTheTopicsHaveAndEndWithTheProcessor() throws Exception {
        Path config = Files.writeString(folder.resolve("millrace.yaml"), """
                models:
                  parrot: {engine: echo}
                  away:
                    engine: remote
                    remote: {endpoints: {a: {url: "http://127.0.0.1:1/v1"}}}
                default_model: parrot
                """);
        int port = freePort();
        List<String> arguments = List.of(
                "--no-registry",
                "--port",
                Integer.toString(port),
                "--config",
                config.toString(),
                "--directory",
                folder.resolve("data").toString());
        try (Dev dev = Dev.start(folder, arguments);
                Admin admin = Admin.create(Map.of("bootstrap.servers", "127.0.0.1:" + port))) {
            dev.awaitReady();
            assertThat(dev.output())
                    .contains("Kafka            127.0.0.1:" + port + "\n")
                    .contains("Processor        away, parrot, records are JSON");
            assertThat(partitions(admin, "millrace.prompts")).isEqualTo(4);
            admin.createTopics(List.of(new NewTopic("mine", 1, (short) 1)))
                    .all()
                    .get(1, TimeUnit.MINUTES);
            dev.stop();
        }
        List<String> one = new ArrayList<>(arguments);
        one.addAll(List.of("--model", "parrot"));
        try (Dev dev = Dev.start(folder, one);
                Admin admin = Admin.create(Map.of("bootstrap.servers", "127.0.0.1:" + port))) {
            dev.awaitReady();
            assertThat(dev.output()).contains("Processor        parrot, records are JSON");
            assertThat(partitions(admin, "mine")).isEqualTo(1);

            admin.deleteTopics(List.of("millrace.prompts")).all().get(1, TimeUnit.MINUTES);
            assertThat(dev.process().waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            assertThat(dev.process().exitValue()).as(dev.output()).isEqualTo(ExitCode.KAFKA.value);
            assertThat(dev.output()).contains("the processor stopped by an error; --verbose shows its log");
        }
    }

    private static int partitions(Admin admin, String topic) throws Exception {
        Map<String, TopicDescription> described =
                admin.describeTopics(List.of(topic)).allTopicNames().get(1, TimeUnit.MINUTES);
        return Objects.requireNonNull(described.get(topic)).partitions().size();
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            return free.getLocalPort();
        }
    }

    @Test
    @WithRegistry
    void shouldKeepSchemasOverARestartAndNeitherOutliveTheRegistryNorLeaveItBehind() throws Exception {
        int port = freePort();
        List<String> arguments = List.of(
                "--no-processor",
                "--port",
                "0",
                "--registry-port",
                Integer.toString(port),
                "--format",
                "avro",
                "--directory",
                folder.resolve("data").toString());
        long registryPid;
        try (Dev dev = Dev.start(folder, arguments)) {
            String url = dev.awaitLine("Schema registry +(http://127\\.0\\.0\\.1:\\d+/apis/ccompat/v7)");
            dev.awaitReady();
            assertThat(url).startsWith("http://127.0.0.1:" + port + "/");
            assertThat(dev.output()).contains("    schema.registry.url: \"" + url + "\"\n    value.format: avro\n");
            assertThat(request(url, "POST", "{\"schema\":\"\\\"string\\\"\"}")).contains("\"id\":");
            registryPid = dev.process().children().findFirst().orElseThrow().pid();

            dev.process().destroyForcibly().waitFor();
        }
        await("the registry ends with it")
                .atMost(PATIENCE)
                .until(() -> ProcessHandle.of(registryPid)
                        .filter(ProcessHandle::isAlive)
                        .isEmpty());
        try (Dev dev = Dev.start(folder, arguments)) {
            String url = dev.awaitLine("Schema registry +(http://127\\.0\\.0\\.1:\\d+/apis/ccompat/v7)");
            assertThat(request(url, "GET", "")).isEqualTo("[1]");
            dev.awaitReady();

            assertThat(dev.process().children().findFirst().orElseThrow().destroyForcibly())
                    .isTrue();
            assertThat(dev.process().waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            assertThat(dev.process().exitValue()).isEqualTo(ExitCode.KAFKA.value);
            assertThat(dev.output())
                    .contains("the schema registry ended; its log is " + folder.resolve("data/registry"));
        }
    }

    @Test
    void shouldSayThatAPortIsTaken() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            int port = taken.getLocalPort();
            Cli cli = Cli.run("dev", "--no-registry", "--no-processor", "--port", Integer.toString(port));
            assertThat(cli.exitCode()).isEqualTo(ExitCode.KAFKA.value);
            assertThat(cli.errLines())
                    .containsExactly("millrace: port=" + port
                            + ", expected=a free port: another process listens on 127.0.0.1:" + port);
        }
    }

    @Test
    void shouldNeedARegistryForAvro() {
        Cli cli = Cli.run("dev", "--no-registry", "--format", "avro");
        assertThat(cli.exitCode()).isEqualTo(ExitCode.USAGE.value);
        assertThat(cli.errLines()).containsExactly("millrace: --format=avro, expected=json with --no-registry");
    }

    private static String request(String url, String method, String body) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/subjects/t-value/versions"))
                    .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                    .method(method, HttpRequest.BodyPublishers.ofString(body))
                    .build();
            return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
        }
    }
}
