package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.millrace.devstack.EmbeddedKafka;
import io.millrace.devstack.EmbeddedKafkaOptions;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@WithKafka
class DoctorTest {

    private static final String SECRET = "hush-hush-0815";

    @TempDir
    Path folder;

    private @Nullable HttpServer server;

    @AfterEach
    void stop() {
        if (server != null) {
            server.stop(0);
        }
    }

    @Test
    void shouldFindNothingWrongWhereAllIsThere(TestKafka kafka) throws IOException {
        // Given
        String url = serve(200, "{\"data\":[{\"id\":\"big-70b\",\"max_model_len\":4096}]}");
        String config = config(kafka.bootstrapServers(), TestKafka.uniqueName("doctor"), remote("big-70b", url));
        Cli.run("topics", "create", "--replication-factor", "1", "--config", config);

        // When
        Cli doctor = Cli.run("doctor", "--config", config);

        // Then: a cluster of one broker is worth a warning, and nothing is an error
        assertThat(doctor.exitCode()).as(doctor.out()).isIn(0, 7);
        assertThat(doctor.out())
                .contains("  ok       JDK 25")
                .contains(" 1 broker")
                .containsPattern("  ok       features \\{.*transaction\\.version=2")
                .containsPattern("  (ok|warning)  +heap at most \\d+ MiB of \\d+ MiB memory")
                .contains("transactions: this user may write them as ")
                .contains("topics: this user may do what it must on ")
                .contains("  note     none configured: records are JSON")
                .contains("  ok       big: endpoint a (" + url + ") has model big-70b")
                .endsWith("0 errors, " + warnings(doctor) + "\n");
    }

    private static String warnings(Cli doctor) {
        long count = doctor.outLines().stream()
                .filter(line -> line.startsWith("  warning"))
                .count();
        return count == 1 ? "1 warning" : count + " warnings";
    }

    @Test
    void shouldNameMissingTopicsAndTheirRemedy(TestKafka kafka) throws IOException {
        // Given
        String prefix = TestKafka.uniqueName("none");
        String config = config(kafka.bootstrapServers(), prefix, "models: {fake: {engine: echo}}\n");

        // When
        Cli doctor = Cli.run("doctor", "--config", config);

        // Then
        assertThat(doctor.exitCode()).as(doctor.out()).isEqualTo(6);
        assertThat(doctor.out())
                .containsPattern("  error    " + prefix + ".prompts.*\n +Remedy: .*millrace topics create")
                .contains("  note     fake: engine echo, no model");
    }

    @Test
    void shouldTellAServerThatRefusesFromOneWithAnotherModelAndKeepSecrets(TestKafka kafka) throws IOException {
        // Given
        Path secret = Files.writeString(folder.resolve("key"), SECRET + "\n");
        String refusing = serve(401, "{\"error\":{\"message\":\"" + SECRET + " is not a key\"}}");
        String models = remote("big-70b", refusing) + "      api_key: file:" + secret + "\n";
        String config = config(kafka.bootstrapServers(), TestKafka.uniqueName("refused"), models);
        Cli.run("topics", "create", "--replication-factor", "1", "--config", config);

        // When
        Cli refused = Cli.run("doctor", "--config", config);
        stop();
        String other = serve(200, "{\"data\":[{\"id\":\"small\"}]}");
        String otherConfig = config(kafka.bootstrapServers(), TestKafka.uniqueName("other"), remote("big-70b", other));
        Cli.run("topics", "create", "--replication-factor", "1", "--config", otherConfig);
        Cli doubtful = Cli.run("doctor", "--config", otherConfig);

        // Then
        assertThat(refused.exitCode()).as(refused.out()).isEqualTo(5);
        assertThat(refused.out() + refused.err()).doesNotContain(SECRET);
        assertThat(refused.out())
                .contains("  error    big: endpoint a (" + refusing
                        + ") status=401: *** is not a key, expected=credentials");
        assertThat(doubtful.exitCode()).as(doubtful.out()).isEqualTo(7);
        assertThat(doubtful.out()).contains("model=big-70b, expected=small");
    }

    @Test
    void shouldTellEachPartThatIsAwayInJson() throws IOException {
        // Given
        Path gguf = Files.writeString(folder.resolve("broken.gguf"), "GGUF but not really");
        String config = config(
                "127.0.0.1:1",
                "away",
                "models: {broken: {source: 'file:" + gguf + "'}}\n",
                "schema.registry.url: http://127.0.0.1:1");
        Cli.run("model", "pull", "broken", "--model-home", folder.toString(), "--config", config);

        // When
        Cli doctor = Cli.run("doctor", "--json", "--model-home", folder.toString(), "--config", config);

        // Then
        assertThat(doctor.exitCode()).isEqualTo(6);
        assertThat(doctor.out())
                .contains("\"exit_code\":6")
                .contains("{\"area\":\"kafka\",\"severity\":\"error\",\"what\":\"bootstrap.servers=127.0.0.1:1,")
                .contains("bootstrap.servers=127.0.0.1:1, expected=Kafka to answer there: no answer within 10 s")
                .contains("schema.registry.url=http://127.0.0.1:1 (ConnectException)")
                .containsPattern("\"area\":\"models\",\"severity\":\"error\",\"what\":\"broken: [^\"]*broken.gguf");
    }

    /** A broker with an authorizer that lets everybody do what nobody has forbidden. */
    @Test
    void shouldNameWhatThisUserMayNotDo() throws Exception {
        EmbeddedKafkaOptions options = EmbeddedKafkaOptions.temporary()
                .withProperty("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
                .withProperty("allow.everyone.if.no.acl.found", "true");
        try (EmbeddedKafka kafka = EmbeddedKafka.start(options);
                Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            String config = config(kafka.bootstrapServers(), "forbidden", "models: {fake: {engine: echo}}\n");
            Cli.run("topics", "create", "--replication-factor", "1", "--config", config);
            admin.alterConsumerGroupOffsets(
                            "forbidden", Map.of(new TopicPartition("forbidden.prompts", 0), new OffsetAndMetadata(0)))
                    .all()
                    .get(1, TimeUnit.MINUTES);
            admin.createAcls(List.of(
                            acl(ResourceType.TOPIC, "forbidden.results", AclOperation.ALL, AclPermissionType.ALLOW),
                            acl(ResourceType.TOPIC, "forbidden.results", AclOperation.WRITE, AclPermissionType.DENY),
                            acl(ResourceType.TOPIC, "forbidden.metrics", AclOperation.DESCRIBE, AclPermissionType.DENY),
                            acl(ResourceType.GROUP, "forbidden", AclOperation.READ, AclPermissionType.DENY),
                            acl(
                                    ResourceType.TRANSACTIONAL_ID,
                                    "forbidden-doctor",
                                    AclOperation.WRITE,
                                    AclPermissionType.DENY)))
                    .all()
                    .get(1, TimeUnit.MINUTES);

            Cli doctor = Cli.run("doctor", "--config", config);

            assertThat(doctor.exitCode()).as(doctor.out() + doctor.err()).isEqualTo(6);
            assertThat(doctor.out())
                    .contains("  error    transactional id forbidden-doctor: ")
                    .contains("  error    group forbidden: ")
                    .contains("  error    topic forbidden.results: this user lacks [WRITE]")
                    .contains("  error    topic forbidden.metrics: Topic authorization failed.")
                    .contains(
                            "  error    topics: cannot describe topic forbidden.metrics: Topic authorization failed.");

            admin.createAcls(List.of(
                            acl(ResourceType.GROUP, "forbidden", AclOperation.DESCRIBE, AclPermissionType.ALLOW)))
                    .all()
                    .get(1, TimeUnit.MINUTES);
            assertThat(Cli.run("doctor", "--config", config).out())
                    .contains("  error    group forbidden: this user may not READ it\n");
        }
    }

    private static AclBinding acl(
            ResourceType type, String name, AclOperation operation, AclPermissionType permission) {
        return new AclBinding(
                new ResourcePattern(type, name, PatternType.LITERAL),
                new AccessControlEntry("User:ANONYMOUS", "*", operation, permission));
    }

    private String serve(int status, String body) throws IOException {
        HttpServer started = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        started.createContext("/v1/models", exchange -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        started.start();
        server = started;
        return "http://127.0.0.1:" + started.getAddress().getPort() + "/v1";
    }

    private static String remote(String model, String url) {
        return """
                models:
                  big:
                    engine: remote
                    remote:
                      model: %s
                      endpoints: {a: {url: "%s"}}
                """.formatted(model, url);
    }

    private String config(String bootstrapServers, String prefix, String models, String... kafka) throws IOException {
        String text = TestConfig.yaml(bootstrapServers, prefix, 2, kafka) + "  replication_factor: 1\n" + models;
        return Files.writeString(folder.resolve(prefix + ".yaml"), text).toString();
    }
}
