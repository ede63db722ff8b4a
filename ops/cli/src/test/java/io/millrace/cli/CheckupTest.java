package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.millrace.cli.Checkup.Area;
import io.millrace.cli.Checkup.Severity;
import io.millrace.modelstore.ModelStore;
import io.millrace.streams.config.MillraceConfig;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What doctor makes of its findings, and those about models; what it finds in Kafka is in {@link DoctorTest}. */
class CheckupTest {

    private final Checkup checkup = new Checkup();

    @TempDir
    Path folder;

    @Test
    void shouldEndWellWithNothingButNotes() {
        checkup.ok(Area.MACHINE, "cores");
        checkup.note(Area.REGISTRY, "none");

        assertThat(checkup.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(printed()).isEqualTo("""
                this machine
                  ok       cores
                schema registry
                  note     none

                0 errors, 0 warnings
                """);
    }

    @Test
    void shouldEndWithTheFirstErrorWhateverElseItFinds() {
        checkup.found(Area.KAFKA, Severity.WARNING, "slow", "hurry");
        assertThat(checkup.exitCode()).isEqualTo(ExitCode.WARNING);

        checkup.found(Area.MODELS, Severity.ERROR, "away", "start it");
        checkup.found(Area.KAFKA, Severity.ERROR, "gone", "look");

        assertThat(checkup.exitCode()).isEqualTo(ExitCode.MODEL);
        assertThat(printed()).isEqualTo("""
                Kafka
                  warning  slow
                           Remedy: hurry
                  error    gone
                           Remedy: look
                models
                  error    away
                           Remedy: start it

                2 errors, 1 warning
                """);
        var bytes = new ByteArrayOutputStream();
        checkup.printJson(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        assertThat(bytes.toString(StandardCharsets.UTF_8))
                .isEqualTo("{\"exit_code\":5,\"findings\":["
                        + "{\"area\":\"kafka\",\"severity\":\"warning\",\"what\":\"slow\",\"remedy\":\"hurry\"},"
                        + "{\"area\":\"models\",\"severity\":\"error\",\"what\":\"away\",\"remedy\":\"start it\"},"
                        + "{\"area\":\"kafka\",\"severity\":\"error\",\"what\":\"gone\",\"remedy\":\"look\"}]}\n");
    }

    @Test
    void shouldWarnOfAMachineThatIsTooSmall() {
        var machine = new MachineCheckup(checkup);
        machine.cores(1);
        machine.memory(511L << 20, 2L << 30);
        machine.memory(3L << 30, 2L << 30);
        machine.cores(2);
        machine.memory(512L << 20, 512L << 20);

        assertThat(printed()).isEqualTo("""
                this machine
                  warning  cores=1, expected=2 or more: the engine's steps hold up Kafka's heartbeats
                           Remedy: give the process two cores, or set num_stream_threads: 1 and the model's threads: 1
                  warning  heap at most 511 MiB of 2048 MiB memory, expected=a heap of 512 MiB or more
                           Remedy: start with JAVA_TOOL_OPTIONS=-Xmx2g, say
                  warning  heap at most 3072 MiB of 2048 MiB memory, expected=a heap that fits into memory
                           Remedy: lower -Xmx; a process that runs out of memory is killed, and its prompts are computed again elsewhere
                  ok       2 cores
                  ok       heap at most 512 MiB of 512 MiB memory

                0 errors, 3 warnings
                """);
    }

    @Test
    void shouldWarnOfBrokersWhoseTransactionsAreOfTheOldKind() {
        var kafka = new KafkaCheckup(checkup, MillraceConfig.defaults());
        kafka.features(Map.of("metadata.version", (short) 20));
        kafka.features(Map.of("transaction.version", (short) 1));
        kafka.features(Map.of("transaction.version", (short) 2));

        assertThat(printed())
                .contains("  warning  transaction.version=0, expected=2: ")
                .contains("  warning  transaction.version=1, expected=2: ")
                .contains("  ok       features {transaction.version=2}")
                .endsWith("0 errors, 2 warnings\n");
    }

    @Test
    void shouldWarnOfAnEndpointThatIsAwayBesideOneThatIsNotAndOfAContextThatNoServerHas() throws Exception {
        String models = "{\"data\":[{\"id\":\"big\",\"max_model_len\":4096}]}";
        lookBefore(Map.of("/v1/models", models), """
                    models:
                      big:
                        engine: remote
                        max_model_len: 8192
                        remote:
                          endpoints:
                            a: { url: "http://127.0.0.1:PORT/v1" }
                            b: { url: "http://127.0.0.1:1/v1" }
                    """);

        assertThat(checkup.exitCode()).isEqualTo(ExitCode.WARNING);
        assertThat(printed())
                .contains("  warning  big: max_model_len=8192, expected=at most 4096, which endpoint a takes")
                .contains("  warning  big: endpoint b (http://127.0.0.1:1/v1) ")
                .endsWith("0 errors, 2 warnings\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "waiting | OK | 0 errors, 0 warnings | '  ok       big: slack at endpoint a: waiting=4.0 leaves 0.50 of the budgets'",
                "wating | MODEL | 1 error, 0 warnings | '  error    big: slack at endpoint a: wating could not be read at '",
            })
    void shouldReadWhatASlackGateGoesBy(String signal, ExitCode code, String count, String line) throws Exception {
        Map<String, String> server = Map.of("/v1/models", "{\"data\":[{\"id\":\"big\"}]}", "/metrics", "waiting 4");
        lookBefore(server, """
                    models:
                      big:
                        engine: remote
                        remote:
                          endpoints: {a: { url: "http://127.0.0.1:PORT/v1" }}
                          slack: {signal: SIGNAL}
                    """.replace("SIGNAL", signal));

        assertThat(checkup.exitCode()).isEqualTo(code);
        assertThat(printed()).contains(line).endsWith(count + "\n");
        assertThat(printed().contains("Remedy: correct remote.slack")).isEqualTo(code != ExitCode.OK);
    }

    @Test
    void shouldNameBothRemediesWhereAListDoesNotNameTheModel() throws Exception {
        lookBefore(Map.of("/models", "{\"models\":[]}"), """
                    models: {m: {engine: remote, remote: {endpoints: {a: {url: "http://127.0.0.1:PORT"}}}}}
                    """);

        assertThat(checkup.exitCode()).isEqualTo(ExitCode.WARNING);
        assertThat(printed())
                .contains("model=m, expected=models that it does not name")
                .contains("set remote.model to the server's name of the model, unless it takes any")
                .contains("the url of most servers ends in /v1");
    }

    @Test
    void shouldWarnOfAServerThatListsNoModels() throws Exception {
        lookBefore(Map.of("/v1/chat/completions", ""), """
                    models: {m: {engine: remote, remote: {endpoints: {a: {url: "http://127.0.0.1:PORT/v1"}}}}}
                    """);

        assertThat(checkup.exitCode()).isEqualTo(ExitCode.WARNING);
        assertThat(printed())
                .contains(") has /chat/completions and does not list its models: /models has status=404")
                .contains("Remedy: try ./millrace generate: only an answer tells whether the server has the model");
    }

    @Test
    void shouldSayWhichSecretIsMissing() throws Exception {
        look("models: {m: {engine: remote, remote: {endpoints: {a: {url: 'http://h'}}, api_key: 'env:NO_SUCH_KEY'}}}");

        assertThat(checkup.exitCode()).isEqualTo(ExitCode.MODEL);
        assertThat(printed())
                .contains("  error    m: remote.api_key=env:NO_SUCH_KEY, expected=a variable that is set")
                .contains("Remedy: correct models.m.remote, or set the variable or write the file that it names");
    }

    @Test
    void shouldWarnOfAFileThatHasChangedSinceItWasVerified() throws Exception {
        Path gguf = Files.writeString(folder.resolve("a.gguf"), "GGUF, one might think");
        Path yaml = Files.writeString(folder.resolve("m.yaml"), "models: {m: {source: 'file:" + gguf + "'}}\n");
        Cli.run("model", "pull", "m", "--model-home", folder.toString(), "--config", yaml.toString());
        Files.writeString(gguf, "GGUF, one might hope");
        Files.setLastModifiedTime(gguf, FileTime.fromMillis(0));

        look(Files.readString(yaml));

        assertThat(checkup.exitCode()).isEqualTo(ExitCode.WARNING);
        assertThat(printed()).contains("  warning  m: " + gguf + " has changed since it was verified");
    }

    /** @param answers of a server at PORT of the YAML, by paths */
    private void lookBefore(Map<String, String> answers, String yaml) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        answers.forEach((path, body) -> server.createContext(path, exchange -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        }));
        server.start();
        try {
            look(yaml.replace("PORT", Integer.toString(server.getAddress().getPort())));
        } finally {
            server.stop(0);
        }
    }

    private void look(String yaml) throws Exception {
        MillraceConfig config = MillraceConfig.parse("m.yaml", yaml);
        new ModelCheckup(checkup, ModelStore.open(folder)).run(config.models().values());
    }

    private String printed() {
        var bytes = new ByteArrayOutputStream();
        checkup.print(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
