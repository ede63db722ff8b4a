package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.echo.EchoOptions;
import io.millrace.remote.RemoteOptions;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.Secret;
import io.millrace.remote.SlackCurve;
import io.millrace.remote.protocol.OpenAiProtocol;
import io.millrace.remote.protocol.OpenInferenceProtocol;
import io.millrace.streams.config.ConfigException;
import io.millrace.streams.config.EchoSettings;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.ModelSettings;
import io.millrace.streams.config.RemoteSettings;
import io.millrace.streams.testing.ChatServer;
import io.millrace.streams.testing.EngineYaml;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnginesTest {

    private static final String ECHO = "models: {mirror: {engine: echo}}\n";

    @TempDir
    Path folder;

    @Test
    void shouldGenerateWithTheEchoEngine() throws Exception {
        Cli cli = Cli.run("generate", "--config", config(ECHO), "--prompt", "hello you there", "--max-tokens", "2");
        assertThat(cli.exitCode()).as(cli.err()).isZero();
        assertThat(cli.outLines()).containsExactly("hello you");
    }

    @Test
    void shouldGenerateWithARemoteModel() throws Exception {
        try (ChatServer server = ChatServer.start()) {
            String yaml =
                    "models: {far: {engine: remote, remote: {endpoints: {a: {url: '" + server.url("me") + "'}}}}}\n";
            Cli cli = Cli.run("generate", "--config", config(yaml), "--prompt", "hello you", "--json");
            assertThat(cli.exitCode()).as(cli.err()).isZero();
            assertThat(cli.out()).contains("hello you");
        }
    }

    @Test
    void shouldSayThatAModelHasNoFileHere() throws Exception {
        for (List<String> command :
                List.of(List.of("tokenize", "a"), List.of("model", "show"), List.of("bench", "engine"))) {
            List<String> args = new ArrayList<>(command);
            args.addAll(List.of("--config", config(ECHO)));
            Cli cli = Cli.run(args.toArray(String[]::new));
            assertThat(cli.exitCode()).as(cli.err()).isEqualTo(ExitCode.MODEL.value);
            assertThat(cli.err())
                    .contains(
                            "model=mirror, expected=one of engine llm: this command works on a model's file, and engine"
                                    + " echo has none here");
        }
    }

    @Test
    void shouldListModelsWithoutFilesAndFetchNothingForThem() throws Exception {
        String yaml = ECHO.replace(
                "}}\n", "}, far: {engine: remote, remote: {endpoints: {a: {url: 'http://h:1/v1?k=secret'}}}}}\n");
        Cli list = Cli.run("model", "list", "--json", "--config", config(yaml));
        assertThat(list.out())
                .contains("{\"name\":\"mirror\",\"source\":\"echo\",\"state\":\"echo\"")
                .contains("{\"name\":\"far\",\"source\":\"http://h:1/v1\",\"state\":\"remote\"")
                .doesNotContain("secret");
        Cli all = Cli.run("model", "pull", "--config", config(yaml));
        assertThat(all.exitCode()).isZero();
        assertThat(all.out()).isEmpty();
        Cli one = Cli.run("model", "pull", "far", "--config", config(yaml));
        assertThat(one.exitCode()).isEqualTo(ExitCode.MODEL.value);
        assertThat(one.err()).contains("model=far, expected=one of engine llm: engine remote has no file to fetch");
    }

    @Test
    void shouldSayWhereASecretIsMissing() throws Exception {
        String yaml =
                "models: {far: {engine: remote, remote: {endpoints: {a: {url: 'http://h'}}, api_key: 'env:NO_SUCH_KEY'}}}";
        Cli cli = Cli.run("generate", "--config", config(yaml), "--prompt", "a");
        assertThat(cli.exitCode()).isEqualTo(ExitCode.CONFIG.value);
        assertThat(cli.err()).contains("model far: remote.api_key=env:NO_SUCH_KEY, expected=a variable that is set");
    }

    @Test
    void shouldHandEverySettingToTheRemoteEngine() throws Exception {
        ModelSettings settings = settings(EngineYaml.REMOTE);

        assertThat(Engines.defaults(settings).maxTokens()).hasValue(99);
        assertThat(remote(settings).toString()).doesNotContain(System.getenv("PATH"));
        assertSame(
                remote(settings),
                new RemoteOptions(
                        new RemoteOptions.OpenInference(
                                OpenInferenceProtocol.Method.INFER,
                                new OpenInferenceProtocol.Tensors("in", List.of(1, 1), "out")),
                        "org/big",
                        Optional.of("3"),
                        OptionalInt.of(8192),
                        100,
                        77,
                        List.of(
                                new Server(
                                        "a",
                                        URI.create("https://gpu-1:8000/v1"),
                                        64,
                                        OptionalLong.of(200_000),
                                        Optional.of(URI.create("http://gpu-1:8002/metrics"))),
                                Server.of("b", URI.create("http://gpu-2"))),
                        RemoteOptions.Choice.PREFIX_AFFINITY,
                        new RemoteOptions.Connection(
                                Map.of("X-Team", "search"),
                                Map.of(
                                        "Authorization",
                                        Secret.at("remote.api_key", "env:PATH").prefixed("Bearer "),
                                        "X-Key",
                                        Secret.at("remote.secret_headers.X-Key", "env:PATH")),
                                Optional.of(new RemoteOptions.Tls(
                                        Optional.of(Path.of("/etc/ca.pem")),
                                        Optional.of(Path.of("me.pem")),
                                        Optional.of(Path.of("me.key")))),
                                Optional.of(URI.create("http://proxy:3128")),
                                HttpClient.Version.HTTP_2,
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(2),
                                Duration.ofSeconds(3),
                                1 << 20),
                        ((RemoteSettings) settings.engine()).extraBody(),
                        new RemoteOptions.Retries(5, 0.1, Duration.ofMillis(10), Duration.ofSeconds(1)),
                        new RemoteOptions.Breaker(0.25, 8, Duration.ofSeconds(4)),
                        Optional.of(new RemoteOptions.Slack(
                                Optional.of(URI.create("http://prometheus:9090")),
                                new RemoteOptions.Query("max(waiting)"),
                                Duration.ofSeconds(2),
                                Duration.ofSeconds(6),
                                new SlackCurve(List.of(new SlackCurve.Point(0, 1), new SlackCurve.Point(4, 0.5)))))));
    }

    @Test
    void shouldHandTheRemoteEngineItsOwnDefaults() throws Exception {
        ModelSettings settings =
                settings("models: {far: {engine: remote, remote: {endpoints: {a: {url: 'http://h/v1'}}}}}");

        assertSame(
                remote(settings),
                RemoteOptions.builder("far")
                        .maxWaiting(1024)
                        .endpoints(List.of(Server.of("a", URI.create("http://h/v1"))))
                        .build());
    }

    @Test
    void shouldHandWhatStandsAloneToTheRemoteEngine() throws Exception {
        RemoteOptions options = remote(settings("""
                models:
                  far:
                    engine: remote
                    remote:
                      protocol: open-inference
                      endpoints: { a: { url: "http://h" } }
                      tls: { certificate_file: me.pem, key_file: me.key }
                      slack: { signal: "vllm:num_requests_waiting" }
                """));

        assertThat(options.dialect())
                .isEqualTo(new RemoteOptions.OpenInference(
                        OpenInferenceProtocol.Method.GENERATE,
                        new OpenInferenceProtocol.Tensors("text_input", List.of(1), "text_output")));
        assertThat(options.connection().tls())
                .contains(new RemoteOptions.Tls(
                        Optional.empty(), Optional.of(Path.of("me.pem")), Optional.of(Path.of("me.key"))));
        assertThat(options.slack().orElseThrow().signal())
                .isEqualTo(new RemoteOptions.Metric("vllm:num_requests_waiting"));
    }

    @Test
    void shouldHandEverySettingToTheEchoEngine() throws Exception {
        ModelSettings settings = settings(EngineYaml.ECHO);

        assertThat(Engines.options(settings, (EchoSettings) settings.engine()))
                .isEqualTo(new EchoOptions("mirror", Optional.of("4"), 4096, 50, 70, 90, Duration.ofMillis(10), 100));
        assertThat(Engines.defaults(settings).maxTokens()).isEmpty();
        ModelSettings plain = settings(ECHO);
        assertThat(Engines.options(plain, (EchoSettings) plain.engine()))
                .isEqualTo(new EchoOptions("mirror", Optional.empty(), 131_072, 256, 1024, 256, Duration.ZERO, 1e6));
    }

    @Test
    void shouldSayWhichOptionTheEngineRefuses() throws Exception {
        Session.HostedModel model = new Session.HostedModel(
                settings(
                        "models: {far: {engine: remote, remote: {endpoints: {a: {url: 'http://h'}}, tls: {ca_file: /no/such.pem}}}}"));
        assertThatThrownBy(() -> Engines.open(model))
                .isInstanceOf(CliException.class)
                .hasMessageStartingWith("model far: remote.tls: ")
                .hasMessageEndingWith("/no/such.pem");
    }

    /** The configuration knows them without the engine. */
    @Test
    void shouldRefuseInTheConfigurationWhatTheEngineSetsItself() {
        Map.of("openai", OpenAiProtocol.OURS, "open-inference", OpenInferenceProtocol.OURS)
                .forEach((protocol, ours) -> assertThat(ours).isNotEmpty().allSatisfy(member -> {
                    String yaml =
                            "models: {far: {engine: remote, remote: {endpoints: {a: {url: 'http://h'}}, protocol: "
                                    + protocol + ", extra_body: {" + member + ": 1}}}}";
                    assertThatThrownBy(() -> settings(yaml))
                            .isInstanceOf(ConfigException.class)
                            .hasMessageContaining("extra_body." + member + " is given");
                }));
    }

    @Test
    void shouldTakeUrlsWhoseSchemesAreInUpperCase() throws Exception {
        RemoteOptions options = remote(settings(
                "models: {far: {engine: remote, remote: {endpoints: {a: {url: 'HTTPS://h'}}, proxy: 'HTTP://p:1'}}}"));
        assertThat(options.connection().proxy()).contains(URI.create("HTTP://p:1"));
    }

    /** Secrets have no equality of their own: all fields are compared. */
    private static void assertSame(RemoteOptions options, RemoteOptions expected) {
        assertThat(options).usingRecursiveComparison().withStrictTypeChecking().isEqualTo(expected);
    }

    private static RemoteOptions remote(ModelSettings settings) {
        return RemoteEngines.options(settings, (RemoteSettings) settings.engine());
    }

    private static ModelSettings settings(String yaml) throws Exception {
        return MillraceConfig.parse("m.yaml", yaml).models().values().iterator().next();
    }

    private String config(String yaml) throws Exception {
        return Files.writeString(folder.resolve("millrace.yaml"), yaml).toString();
    }
}
