package io.millrace.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.cli.TestConfig;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.modelstore.ModelStore;
import io.millrace.streams.config.LlmSettings;
import io.millrace.streams.config.MillraceConfig;
import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * What the image starts, without Docker: its entry command with the commands of {@code docker-compose.yml}, on a runtime linked
 * by the Dockerfile's own line, as the image's user, without capabilities, on a root that is mounted read-only, with an empty
 * {@code /tmp}. Only addresses and paths differ. It needs root, for its mounts are in a namespace of their own.
 */
@WithKafka
@Tag("image")
class ImageEntryTest {

    private static final Duration PATIENCE = Duration.ofMinutes(4);

    /** Arguments: the folder that stays writable, then the command. */
    private static final String CONTAINED = """
            set -e
            volume=$1; shift
            mount --make-rprivate /
            mount --bind "$volume" "$volume"
            for mount in $(findmnt -rno TARGET); do
              case $mount in /proc*|/sys*|/dev*|"$volume") ;; *) mount -o remount,ro,bind "$mount" 2>/dev/null || true ;; esac
            done
            mount -t tmpfs -o mode=1777,exec,size=512m tmpfs /tmp
            cd "$volume"
            exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
            """;

    private final Checkout checkout = Checkout.find();
    private final String dockerfile = checkout.text("ops/docker/Dockerfile");
    private final Path image = checkout.root().resolve("ops/cli/target/image");
    private final Path volume = image.resolve("var");
    private final String name = TestKafka.uniqueName("image");
    private int port;

    @BeforeEach
    void requireNamespaces() throws IOException, InterruptedException {
        Process probe = new ProcessBuilder(
                        "unshare", "--mount", "sh", "-c", "mount --make-rprivate / && command -v setpriv findmnt")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        Assumptions.assumeTrue(
                probe.waitFor() == 0, "needs root, and unshare, mount, findmnt and setpriv of util-linux");
    }

    @Test
    void shouldCreateTopicsAnswerAPromptAndEndOnSigterm(TestKafka kafka) throws Exception {
        build();
        port = freePort();
        writeConfig(kafka);

        Process topics = start("topics", "topics.log");
        assertThat(topics.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(topics.exitValue()).as(log("topics.log")).isZero();

        Process millrace = start("millrace", "millrace.log");
        try {
            await().atMost(PATIENCE).until(() -> {
                assertThat(millrace.isAlive()).as(log("millrace.log")).isTrue();
                return healthcheck() == 0;
            });
            kafka.produce(List.of(new ProducerRecord<>(
                    name + ".prompts",
                    "{\"prompt\": \"Name a river.\", \"max_tokens\": 4}".getBytes(StandardCharsets.UTF_8))));
            await().atMost(PATIENCE)
                    .untilAsserted(() ->
                            assertThat(kafka.readCommitted(name + ".results")).hasSize(1));
            assertThat(Files.readString(Path.of("/proc/" + millrace.pid() + "/status")))
                    .containsPattern("Uid:\\s+10001\\s+10001")
                    .containsPattern("CapBnd:\\s+0000000000000000")
                    .containsPattern("NoNewPrivs:\\s+1");

            millrace.destroy();
            assertThat(millrace.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(millrace.exitValue()).as(log("millrace.log")).isEqualTo(128 + 15);
            assertThat(log("millrace.log")).doesNotContain("Read-only file system", "Permission denied");
        } finally {
            millrace.destroyForcibly();
        }
    }

    /** The runtime, the jars and the volume of models. */
    private void build() throws IOException, InterruptedException {
        Path java = image.resolve("java");
        delete(java);
        Files.createDirectories(volume);
        run(jlink(java));
        Path lib = image.resolve("lib");
        delete(lib);
        Files.createDirectories(lib);
        int count = 0;
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, 0)) {
            Path path = Path.of(entry);
            if (Files.isRegularFile(path)) {
                Files.copy(path, lib.resolve(count++ + "-" + path.getFileName()));
            } else if (Files.isDirectory(path) && !path.endsWith("test-classes") && !path.endsWith("test")) {
                jar(path, lib.resolve("millrace-" + count++ + ".jar"));
            }
        }
        copyModel();
        run(List.of("chown", "-R", "10001:10001", volume.toString()));
    }

    private List<String> jlink(Path to) {
        Matcher line =
                Pattern.compile("(?s)RUN jlink (.+?) --output /opt/java\\n").matcher(dockerfile);
        assertThat(line.find()).isTrue();
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "jlink").toString());
        command.addAll(List.of(line.group(1).replace("\\\n", " ").trim().split("\\s+", 0)));
        command.addAll(List.of("--output", to.toString()));
        return command;
    }

    private static void jar(Path classes, Path to) {
        int code = ToolProvider.findFirst("jar")
                .orElseThrow()
                .run(
                        System.out,
                        System.err,
                        "--create",
                        "--no-compress",
                        "--file",
                        to.toString(),
                        "-C",
                        classes.toString(),
                        ".");
        assertThat(code).isZero();
    }

    private void copyModel() throws IOException {
        MillraceConfig defaults = MillraceConfig.defaults();
        Path file = ModelStore.open(ModelStore.defaultHome())
                .fetchModel(
                        ((LlmSettings) defaults.model(defaults.defaultModel())
                                        .orElseThrow()
                                        .engine())
                                .spec(),
                        ModelStore.Check.WHEN_CHANGED,
                        _ -> {})
                .path();
        Path from = Objects.requireNonNull(file.getParent());
        Path to = volume.resolve("models")
                .resolve(ModelStore.defaultHome().relativize(from).toString());
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path each : files.toList()) {
                Files.copy(
                        each,
                        to.resolve(each.getFileName()),
                        StandardCopyOption.COPY_ATTRIBUTES,
                        StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** The image's own, but for the addresses, and topics of its own. */
    private void writeConfig(TestKafka kafka) throws IOException {
        String own = checkout.text("ops/docker/millrace.yaml")
                .replace("kafka:29092", kafka.bootstrapServers())
                .replace("host: 0.0.0.0", "host: 127.0.0.1\n  port: " + port);
        Files.writeString(image.resolve("millrace.yaml"), own + TestConfig.yaml(name, 2));
    }

    /** A service's command, run by the image's entry command. */
    private Process start(String service, String log) throws IOException {
        List<String> line = new ArrayList<>(List.of("unshare", "--mount", "bash", "-c", CONTAINED, "contained"));
        line.add(volume.toString());
        for (String word : entryPoint()) {
            line.add(word.replace("/opt/java", image.resolve("java").toString())
                    .replace("/opt/millrace", image.toString()));
        }
        for (Object word : (List<?>) Objects.requireNonNull(service(service).get("command"))) {
            line.add(word.toString().replace("/etc/millrace", image.toString()));
        }
        var builder = new ProcessBuilder(line)
                .redirectErrorStream(true)
                .redirectOutput(image.resolve(log).toFile());
        builder.environment().put("MILLRACE_HOME", volume.resolve("models").toString());
        builder.environment().put("HOME", volume.toString());
        return builder.start();
    }

    private List<String> entryPoint() throws IOException {
        Matcher line = Pattern.compile("(?m)^ENTRYPOINT (\\[.+])$").matcher(dockerfile);
        assertThat(line.find()).isTrue();
        return new ObjectMapper().readValue(line.group(1), new TypeReference<List<String>>() {});
    }

    /** As Compose runs it. */
    private int healthcheck() throws IOException, InterruptedException {
        Map<?, ?> check = (Map<?, ?>) Objects.requireNonNull(service("millrace").get("healthcheck"));
        List<String> test = ((List<?>) Objects.requireNonNull(check.get("test")))
                .stream()
                        .map(word ->
                                word.toString().replace("/8080", "/" + port).replace("$$", "$"))
                        .toList();
        return new ProcessBuilder(test.subList(1, test.size()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    private Map<?, ?> service(String service) {
        Map<?, ?> compose = (Map<?, ?>)
                new Load(LoadSettings.builder().build()).loadFromString(checkout.text("docker-compose.yml"));
        Map<?, ?> services = (Map<?, ?>) Objects.requireNonNull(compose.get("services"));
        return (Map<?, ?>) Objects.requireNonNull(services.get(service));
    }

    private String log(String file) throws IOException {
        return Files.readString(image.resolve(file));
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static void delete(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        List<Path> deepestFirst;
        try (Stream<Path> tree = Files.walk(root)) {
            deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : deepestFirst) {
            Files.delete(file);
        }
    }
}
