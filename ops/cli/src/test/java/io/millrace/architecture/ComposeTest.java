package io.millrace.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.millrace.streams.config.MillraceConfig;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * The structure of {@code docker-compose.yml} and of the image that it builds. It needs no Docker, so it proves no start of a
 * container: only what can be read in the files.
 */
class ComposeTest {
    private static final Pattern PINNED = Pattern.compile("[a-z0-9/-]+:v?[0-9][A-Za-z0-9._-]*\\.[A-Za-z0-9._-]+");
    private static final List<String> JVM_FLAGS = List.of(
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:+UseSerialGC",
            "-XX:MaxRAMPercentage=70",
            "-XX:+ExitOnOutOfMemoryError");

    private final Checkout checkout = Checkout.find();
    private final Map<?, ?> compose = map(yaml(checkout.text("docker-compose.yml")));
    private final Map<?, ?> services = map(compose.get("services"));

    @Test
    void shouldBeWhatComposeTakes() {
        // its $id is no absolute IRI, which the validator insists on
        String text = checkout.text("ops/cli/src/test/resources/compose/compose-spec.json")
                .replace("\"$id\": \"compose_spec.json\",", "");
        Schema schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(text, InputFormat.JSON);
        assertThat(schema.validate(json(checkout.text("docker-compose.yml")))).isEmpty();

        String misspelled = checkout.text("docker-compose.yml").replaceFirst("healthcheck:", "heathcheck:");
        assertThat(schema.validate(json(misspelled))).singleElement().asString().contains("heathcheck");
    }

    @Test
    void shouldRunKafkaThenTopicsThenMillraceInEitherProfile() {
        assertThat(names(services))
                .containsExactly("kafka", "kafka-ui", "millrace", "millrace-vllm", "registry", "topics", "vllm");
        assertThat(condition("topics", "kafka")).isEqualTo("service_healthy");
        assertThat(condition("registry", "kafka")).isEqualTo("service_healthy");
        assertThat(condition("kafka-ui", "registry")).isEqualTo("service_healthy");
        for (String millrace : List.of("millrace", "millrace-vllm")) {
            assertThat(condition(millrace, "kafka")).isEqualTo("service_healthy");
            assertThat(condition(millrace, "registry")).isEqualTo("service_healthy");
            assertThat(condition(millrace, "topics")).isEqualTo("service_completed_successfully");
        }
        assertThat(names(map(service("millrace-vllm").get("depends_on")))).doesNotContain("vllm");
        assertThat(inProfile("cpu")).containsExactly("kafka", "kafka-ui", "millrace", "registry", "topics");
        assertThat(inProfile("vllm"))
                .containsExactly("kafka", "kafka-ui", "millrace-vllm", "registry", "topics", "vllm");
    }

    @Test
    void shouldPublishEachPortOnceInAProfile() {
        for (String profile : List.of("cpu", "vllm")) {
            List<String> ports = inProfile(profile).stream()
                    .flatMap(name -> ports(name).stream())
                    .map(port -> port.split(":", -1)[1])
                    .toList();
            assertThat(ports).as(profile).doesNotHaveDuplicates().contains("9092", "8080", "8081", "8082");
        }
    }

    @Test
    void shouldRunMillraceOnAReadOnlyRoot() {
        for (String name : List.of("topics", "millrace", "millrace-vllm")) {
            assertThat(service(name).get("read_only")).as(name).isEqualTo(true);
            assertThat(text(service(name).get("tmpfs"))).as(name).startsWith("[/tmp:exec,");
        }
        for (String name : List.of("millrace", "millrace-vllm")) {
            assertThat(service(name).get("cap_drop")).as(name).isEqualTo(List.of("ALL"));
        }
    }

    @Test
    void shouldPinEveryImage() {
        assertThat(services.values())
                .allSatisfy(
                        service -> assertThat(text(map(service).get("image"))).matches(PINNED));
        assertThat(text(service("kafka").get("image"))).isEqualTo("apache/kafka:" + kafkaVersion());
        Matcher from = Pattern.compile("(?m)^FROM (?:--platform=\\S+ )?(\\S+)").matcher(dockerfile());
        assertThat(from.results().map(match -> match.group(1)).toList())
                .hasSize(3)
                .allSatisfy(image -> assertThat(image).matches(PINNED));
    }

    @Test
    void shouldBindPortsToThisMachineOnly() {
        assertThat(services.values()).allSatisfy(service -> {
            if (map(service).get("ports") instanceof List<?> ports) {
                assertThat(ports).allSatisfy(port -> assertThat(text(port)).startsWith("127.0.0.1:"));
            }
        });
    }

    @Test
    void shouldCheckTheHealthOfWhatKeepsRunningAndKeepItsData() {
        for (String name : List.of("kafka", "registry", "kafka-ui", "millrace", "vllm", "millrace-vllm")) {
            assertThat(map(service(name).get("healthcheck")).get("test"))
                    .as(name)
                    .isInstanceOf(List.class);
            assertThat(text(service(name).get("restart"))).isEqualTo("unless-stopped");
        }
        assertThat(names(map(compose.get("volumes")))).containsExactly("kafka-data", "models", "vllm-models");
        assertThat(text(service("kafka").get("volumes"))).contains("kafka-data:/var/lib/kafka/data");
        assertThat(text(map(service("kafka").get("environment")).get("KAFKA_LOG_DIRS")))
                .isEqualTo("/var/lib/kafka/data");
        assertThat(text(service("millrace").get("volumes"))).contains("models:/var/lib/millrace");
    }

    @Test
    void shouldConfigureMillraceForTheAddressesInsideTheNetwork() throws Exception {
        for (String file : List.of("millrace.yaml", "millrace.vllm.yaml")) {
            MillraceConfig config = MillraceConfig.parse(file, checkout.text("ops/docker/" + file));
            assertThat(config.kafka().properties()).containsEntry("bootstrap.servers", "kafka:29092");
            assertThat(config.http().host()).isEqualTo("0.0.0.0");
            assertThat(config.http().port()).isEqualTo(8080);
        }
        assertThat(text(map(service("kafka").get("environment")).get("KAFKA_ADVERTISED_LISTENERS")))
                .contains("CONTAINERS://kafka:29092");
        // the name by which vLLM serves its model, and its address
        assertThat(text(service("vllm").get("command"))).contains("--served-model-name, llm");
        assertThat(checkout.text("ops/docker/millrace.vllm.yaml"))
                .contains("model: llm\n", "http://vllm:8000/v1", "default_model: llm\n");
        assertThat(text(service("millrace-vllm").get("volumes"))).contains("millrace.vllm.yaml:/etc/millrace/");
    }

    @Test
    void shouldRunTheImageAsTheLauncherRunsTheCommandAndNotAsRoot() {
        assertThat(dockerfile()).contains("\nUSER 10001\n");
        assertThat(dockerfile().indexOf("\nUSER 10001\n"))
                .isLessThan(dockerfile().indexOf("\nENTRYPOINT "));
        assertThat(checkout.text("millrace")).contains(JVM_FLAGS).contains("io.millrace.cli.Main");
        assertThat(dockerfile()).contains(JVM_FLAGS).contains("\"io.millrace.cli.Main\"]");
    }

    private static Object yaml(String text) {
        return new Load(LoadSettings.builder().build()).loadFromString(text);
    }

    private static JsonNode json(String yaml) {
        return new ObjectMapper().valueToTree(yaml(yaml));
    }

    private List<String> inProfile(String profile) {
        return names(services).stream()
                .filter(name ->
                        !(service(name).get("profiles") instanceof List<?> profiles) || profiles.contains(profile))
                .toList();
    }

    private List<String> ports(String name) {
        return service(name).get("ports") instanceof List<?> ports
                ? ports.stream().map(String::valueOf).toList()
                : List.of();
    }

    private String dockerfile() {
        return checkout.text("ops/docker/Dockerfile");
    }

    private String kafkaVersion() {
        Matcher version = Pattern.compile("<kafka.version>(.+)</kafka.version>").matcher(checkout.text("pom.xml"));
        assertThat(version.find()).isTrue();
        return version.group(1);
    }

    private String condition(String service, String on) {
        return text(map(map(service(service).get("depends_on")).get(on)).get("condition"));
    }

    private Map<?, ?> service(String name) {
        return map(services.get(name));
    }

    private static Map<?, ?> map(@Nullable Object value) {
        assertThat(value).isInstanceOf(Map.class);
        return (Map<?, ?>) Objects.requireNonNull(value);
    }

    private static List<String> names(Map<?, ?> map) {
        return map.keySet().stream().map(String::valueOf).sorted().toList();
    }

    private static String text(@Nullable Object value) {
        return String.valueOf(value);
    }
}
