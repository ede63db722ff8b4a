package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.remote.RemoteOptions;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.ModelSettings;
import io.millrace.streams.config.RemoteSettings;
import io.millrace.streams.testing.ChatServer;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
    void shouldHandAllSettingsToTheRemoteEngine() throws Exception {
        Path secret = Files.writeString(folder.resolve("key"), "sk-1\n");
        MillraceConfig config = MillraceConfig.parse("m.yaml", """
                models:
                  far:
                    engine: remote
                    version: "3"
                    max_model_len: 8192
                    max_num_seqs: 100
                    max_waiting: 77
                    default_max_tokens: 99
                    remote:
                      protocol: open-inference
                      model: org/far
                      endpoints: { a: { url: "http://h:8000", max_in_flight: 64, max_tokens_in_flight: 2000 }, b: { url: "http://i" } }
                      choice: prefix_affinity
                      api_key: file:%1$s
                      headers: { X-Team: search }
                      secret_headers: { X-Key: "file:%1$s" }
                      extra_body: { top_k: 40 }
                      tls: { ca_file: /etc/ca.pem }
                      proxy: "http://proxy:3128"
                      http_version: 2
                      read_timeout: 2s
                      max_response_bytes: 1MiB
                      retries: { max_attempts: 5 }
                      breaker: { window: 8 }
                      method: infer
                      tensors: { input: in, output: out, batched: true }
                      slack: { signal: "vllm:num_requests_waiting", curve: "0:1, 4:0.5" }
                """.formatted(secret));
        ModelSettings settings = config.model("far").orElseThrow();

        RemoteOptions options = RemoteEngines.options(settings, (RemoteSettings) settings.engine());

        assertThat(options.toString())
                .contains("OpenInference[method=INFER, tensors=Tensors[input=in, inputShape=[1, 1], output=out]]")
                .contains("model=org/far", "version=Optional[3]", "maxModelLen=OptionalInt[8192]")
                .contains("maxNumSeqs=100", "maxWaiting=77", "choice=PREFIX_AFFINITY")
                .contains("Server[name=a, url=http://h:8000, maxInFlight=64, maxTokensInFlight=OptionalLong[2000]]")
                .contains("Server[name=b, url=http://i, maxInFlight=2147483647, maxTokensInFlight=OptionalLong.empty]")
                .contains("headers={X-Team=search}", "secretHeaders={Authorization=file:", "X-Key=file:")
                .contains("ca=Optional[/etc/ca.pem]", "proxy=Optional[http://proxy:3128]")
                .contains("readTimeout=PT2S", "maxResponseBytes=1048576", "extraBody={top_k=40}")
                .contains("Retries[maxAttempts=5", "Breaker[failureRate=0.5, window=8")
                .contains("Metric[name=vllm:num_requests_waiting]", "Point[value=4.0, fraction=0.5]")
                .doesNotContain("sk-1");
        assertThat(options.connection().version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(Engines.defaults(settings).maxTokens()).hasValue(99);
    }

    @Test
    void shouldSayWhichOptionTheEngineRefuses() throws Exception {
        MillraceConfig config = MillraceConfig.parse(
                "m.yaml",
                "models: {far: {engine: remote, remote: {endpoints: {a: {url: 'http://h'}}, extra_body: {stream: false}}}}");
        Session.HostedModel model = new Session.HostedModel(config.model("far").orElseThrow());
        assertThatThrownBy(() -> Engines.open(model))
                .isInstanceOf(CliException.class)
                .hasMessage("model far: remote.extra_body.stream=present, expected=absent: the engine sets it");
    }

    private String config(String yaml) throws Exception {
        return Files.writeString(folder.resolve("millrace.yaml"), yaml).toString();
    }
}
