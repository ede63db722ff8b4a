package io.millrace.architecture;

import static org.assertj.core.api.Assertions.assertThat;

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
    private static final Pattern PINNED = Pattern.compile("[a-z0-9/-]+:[0-9][A-Za-z0-9._-]*\\.[A-Za-z0-9._-]+");
    private static final List<String> JVM_FLAGS = List.of(
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:+UseSerialGC",
            "-XX:MaxRAMPercentage=70",
            "-XX:+ExitOnOutOfMemoryError");

    private final Checkout checkout = Checkout.find();
    private final Map<?, ?> compose =
            map(new Load(LoadSettings.builder().build()).loadFromString(checkout.text("docker-compose.yml")));
    private final Map<?, ?> services = map(compose.get("services"));

    @Test
    void shouldRunKafkaThenTopicsThenMillrace() {
        assertThat(names(services)).containsExactly("kafka", "millrace", "topics");
        assertThat(condition("topics", "kafka")).isEqualTo("service_healthy");
        assertThat(condition("millrace", "kafka")).isEqualTo("service_healthy");
        assertThat(condition("millrace", "topics")).isEqualTo("service_completed_successfully");
    }

    @Test
    void shouldPinEveryImage() {
        assertThat(services.values())
                .allSatisfy(
                        service -> assertThat(text(map(service).get("image"))).matches(PINNED));
        assertThat(text(service("kafka").get("image"))).isEqualTo("apache/kafka:" + kafkaVersion());
        Matcher from = Pattern.compile("(?m)^FROM (\\S+)").matcher(dockerfile());
        assertThat(from.results().map(match -> match.group(1)).toList())
                .hasSize(2)
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
        for (String name : List.of("kafka", "millrace")) {
            assertThat(map(service(name).get("healthcheck")).get("test"))
                    .as(name)
                    .isInstanceOf(List.class);
            assertThat(text(service(name).get("restart"))).isEqualTo("unless-stopped");
        }
        assertThat(names(map(compose.get("volumes")))).containsExactly("kafka-data", "models");
        assertThat(text(service("kafka").get("volumes"))).contains("kafka-data:/var/lib/kafka/data");
        assertThat(text(map(service("kafka").get("environment")).get("KAFKA_LOG_DIRS")))
                .isEqualTo("/var/lib/kafka/data");
        assertThat(text(service("millrace").get("volumes"))).contains("models:/var/lib/millrace");
    }

    @Test
    void shouldConfigureMillraceForTheAddressesInsideTheNetwork() throws Exception {
        MillraceConfig config = MillraceConfig.parse("millrace.yaml", checkout.text("ops/docker/millrace.yaml"));
        assertThat(config.kafka().properties()).containsEntry("bootstrap.servers", "kafka:29092");
        assertThat(text(map(service("kafka").get("environment")).get("KAFKA_ADVERTISED_LISTENERS")))
                .contains("CONTAINERS://kafka:29092");
        assertThat(config.http().host()).isEqualTo("0.0.0.0");
        assertThat(config.http().port()).isEqualTo(8080);
    }

    @Test
    void shouldRunTheImageAsTheLauncherRunsTheCommandAndNotAsRoot() {
        assertThat(dockerfile()).contains("\nUSER 10001\n");
        assertThat(dockerfile().indexOf("\nUSER 10001\n"))
                .isLessThan(dockerfile().indexOf("\nENTRYPOINT "));
        assertThat(checkout.text("millrace")).contains(JVM_FLAGS).contains("io.millrace.cli.Main");
        assertThat(dockerfile()).contains(JVM_FLAGS).contains("\"io.millrace.cli.Main\"]");
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
