package io.millrace.streams.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.streams.config.RemoteSettings.Endpoint;
import io.millrace.streams.testing.EngineYaml;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class EngineSettingsTest {

    private static final String KEY = "sk-abcdef0123456789";

    @Test
    void shouldReadEveryKeyOfARemoteModel() throws Exception {
        ModelSettings big = read(EngineYaml.REMOTE, Map.of("MILLRACE_TEST_TEAM", "sales"));

        assertThat(big.version()).contains("3");
        assertThat(big.maxModelLen()).hasValue(8192);
        assertThat(big.maxNumSeqs()).isEqualTo(100);
        assertThat(big.maxWaiting()).isEqualTo(77);
        assertThat(big.defaultMaxTokens()).isEqualTo(99);
        assertThat(big.engine())
                .isEqualTo(new RemoteSettings(
                        "open-inference",
                        "org/big",
                        Map.of(
                                "a",
                                new Endpoint(
                                        URI.create("https://gpu-1:8000/v1"),
                                        OptionalInt.of(64),
                                        OptionalLong.of(200_000),
                                        Optional.of(URI.create("http://gpu-1:8002/metrics"))),
                                "b",
                                new Endpoint(
                                        URI.create("http://gpu-2"),
                                        OptionalInt.empty(),
                                        OptionalLong.empty(),
                                        Optional.empty())),
                        "prefix_affinity",
                        Optional.of("env:PATH"),
                        new RemoteSettings.Connection(
                                Map.of("X-Team", "sales"),
                                Map.of("X-Key", "env:PATH"),
                                Optional.of(Path.of("/etc/ca.pem")),
                                Optional.of(Path.of("me.pem")),
                                Optional.of(Path.of("me.key")),
                                Optional.of(URI.create("http://proxy:3128")),
                                "2",
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(2),
                                Duration.ofSeconds(3),
                                1 << 20),
                        extraBody(),
                        new RemoteSettings.Retries(5, 0.1, Duration.ofMillis(10), Duration.ofSeconds(1)),
                        new RemoteSettings.Breaker(0.25, 8, Duration.ofSeconds(4)),
                        new RemoteSettings.Inference("infer", "in", "out", true),
                        Optional.of(new RemoteSettings.Slack(
                                Optional.of(URI.create("http://prometheus:9090")),
                                Optional.empty(),
                                Optional.of("max(waiting)"),
                                Duration.ofSeconds(2),
                                Duration.ofSeconds(6),
                                new Curve(List.of(new Curve.Point(0, 1), new Curve.Point(4, 0.5)))))));
    }

    /** A key that is new comes into that text, and so into the tests of what becomes of it. */
    @Test
    void shouldHaveEveryKeyInTheText() {
        assertThat(ConfigDocsTest.keys(new Key.Section(RemoteKeys.ALL)))
                .filteredOn(key -> !key.equals("signal"))
                .allSatisfy(key -> assertThat(EngineYaml.REMOTE).containsPattern("\\b" + key + ":"));
    }

    private static Map<String, Object> extraBody() {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("top_k", BigInteger.valueOf(40));
        body.put("stop_token_ids", List.of(BigInteger.ONE, BigInteger.TWO));
        body.put("chat_template_kwargs", Map.of("enable_thinking", false, "who", "sales"));
        body.put("none", null);
        return body;
    }

    @Test
    void shouldFillInTheDefaultsOfARemoteModel() throws Exception {
        ModelSettings model = read("models: {org/m: {engine: remote, remote: {endpoints: {a: {url: 'http://h/v1'}}}}}");

        assertThat(model.maxNumSeqs()).isEqualTo(256);
        RemoteSettings remote = (RemoteSettings) model.engine();
        assertThat(remote.model()).isEqualTo("org/m");
        assertThat(remote.protocol()).isEqualTo("openai");
        assertThat(remote.choice()).isEqualTo("least_tokens");
        assertThat(remote.apiKey()).isEmpty();
        assertThat(remote.connection().httpVersion()).isEqualTo("1.1");
        assertThat(remote.connection().readTimeout()).isEqualTo(Duration.ofMinutes(2));
        assertThat(remote.retries())
                .isEqualTo(new RemoteSettings.Retries(3, 0.2, Duration.ofMillis(200), Duration.ofSeconds(30)));
        assertThat(remote.slack()).isEmpty();
    }

    @Test
    void shouldReadASignalOfTheServersOwn() throws Exception {
        ModelSettings model = read(
                "models: {m: {engine: remote, remote: {endpoints: {a: {url: 'http://h/v1'}}, slack: {signal: 'a:b'}}}}");

        assertThat(((RemoteSettings) model.engine()).slack())
                .contains(new RemoteSettings.Slack(
                        Optional.empty(),
                        Optional.of("a:b"),
                        Optional.empty(),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(10),
                        new Curve(List.of(new Curve.Point(0, 1), new Curve.Point(4, 0.5), new Curve.Point(8, 0)))));
    }

    @Test
    void shouldReadAnEchoModel() throws Exception {
        assertThat(read(EngineYaml.ECHO).engine()).isEqualTo(new EchoSettings(Duration.ofMillis(10), 100));
        ModelSettings plain = read("models: {m: {engine: echo}}");
        assertThat(plain.engine()).isEqualTo(new EchoSettings(Duration.ZERO, 1_000_000));
        assertThat(plain.maxNumSeqs()).isEqualTo(256);
    }

    static Stream<Arguments> wrong() {
        return Stream.of(
                // keys of another engine
                Arguments.of(
                        "models: {m: {engine: echo, block_size: 16}}",
                        "m.yaml:1:40: engine=echo, expected=llm, which alone has block_size"),
                Arguments.of(
                        "models: {m: {source: 'file:a', echo: {delay: 1s}}}",
                        "m.yaml:1:38: engine is absent, expected=engine: echo, which alone has echo"),
                Arguments.of(
                        "models: {m: {engine: remote, source: 'file:a', remote: {endpoints: {a: {url: 'http://h'}}}}}",
                        "m.yaml:1:38: engine=remote, expected=llm, which alone has source"),
                Arguments.of(
                        "models: {m: {engine: remot}}",
                        "m.yaml:1:22: engine=remot, expected=one of llm, remote, echo, did you mean 'remote'?"),
                Arguments.of(
                        "models: {-m: {engine: echo}}",
                        "m.yaml:1:10: model name=-m, expected=letters, digits and . _ - : / @ +, at most 120, a letter or digit first"),
                Arguments.of(
                        "url: x",
                        "m.yaml:1:1: unknown key 'url' here, it belongs under 'models.NAME.remote.endpoints.NAME'"),
                // endpoints
                Arguments.of(
                        "models: {m: {engine: remote}}",
                        "m.yaml:1:10: model 'm' has no endpoints, expected=remote: {endpoints: {NAME: {url: 'http://HOST:8000/v1'}}}"),
                remote("endpoints: {a: {}}", "endpoint 'a' has no url, expected=url: 'http://HOST:8000/v1'"),
                remote("endpoints: {a: {url: 'h:8000'}}", "url=h:8000, expected=http://HOST or https://HOST"),
                remote("endpoints: {a: {url: 'localhost'}}", "url=localhost, expected=http://HOST or https://HOST"),
                remote(
                        "endpoints: {a: {url: 'http://my_host:80'}}",
                        "url=http://my_host:80, expected=http://HOST or https://HOST, and no '_' in HOST"),
                remote("endpoints: {a: {url: 'http://h'}, a: {url: 'http://i'}}", "duplicate key 'a', first in line 1"),
                remote(
                        "endpoints: ['http://h']",
                        "endpoints=a list, expected=a mapping of an endpoint's name to a mapping of url, max_in_flight, "),
                remote("endpoints: {a: 'http://h'}", "a=http://h, expected=a mapping of url, max_in_flight, "),
                remote("endpoints: {a: {url: 'http:///v1'}}", "url=http:///v1, expected=http://HOST or https://HOST"),
                remote("endpoints: {a: {url: 'http://h/#x'}}", "url=http://h/#x, expected=http://HOST or https://HOST"),
                remote(
                        "endpoints: {a: {url: 'http://u:" + KEY + "@h'}}",
                        "url=(not shown), expected=an address without user and password: headers have a place for secrets"),
                remote(
                        "endpoints: {a b: {url: 'http://h'}}",
                        "endpoint name=a b, expected=letters, digits and . _ -, at most 63"),
                remote(
                        "endpoints: {a: {url: 'http://h', max_in_fligt: 3}}",
                        "unknown key 'max_in_fligt', did you mean 'max_in_flight'?"));
    }

    static Stream<Arguments> wrongBesideEndpoints() {
        return Stream.of(
                // secrets
                sound(
                        "api_key: " + KEY,
                        "api_key=(not shown), expected=env:VARIABLE or file:PATH, where the secret is; the secret itself does not belong into this file"),
                sound(
                        "api_key: '${API_KEY}'",
                        "api_key=(not shown), expected=env:VARIABLE or file:PATH, where the secret is; the secret itself does not belong into this file"),
                sound(
                        "secret_headers: {X-Key: " + KEY + "}",
                        "X-Key=(not shown), expected=env:VARIABLE or file:PATH, where the secret is; the secret itself does not belong into this file"),
                sound(
                        "headers: {Authorization: 'Bearer " + KEY + "'}",
                        "headers.Authorization=(not shown), expected=under secret_headers, as env:VARIABLE or file:PATH"),
                sound(
                        "api_key: env:A, secret_headers: {authorization: 'env:B'}",
                        "api_key and secret_headers.authorization are given, expected=one of them: they are one header"),
                sound(
                        "headers: {X-Id: a}, secret_headers: {x-id: 'env:B'}",
                        "headers.X-Id and secret_headers.x-id are given, expected=one of them: they are one header"),
                sound(
                        "headers: {X-Id: a, x-id: b}",
                        "headers.X-Id and headers.x-id are given, expected=one of them: they are one header"),
                sound(
                        "secret_headers: 'Bearer " + KEY + "'",
                        "secret_headers=(not shown), expected=a mapping of a header's name to env:VARIABLE or file:PATH"),
                sound("headers: {X-Id: é}", "X-Id=é, expected=one line of at most 1000 ASCII characters"),
                sound("headers: {Host: h}", "headers=Host, expected=another header: this one is set by the client"),
                sound("headers: {a b: h}", "headers=a b, expected=a header's name"),
                // the rest
                sound("tls: {key_file: k}", "key_file stands alone, expected=certificate_file and key_file together"),
                sound("proxy: 'https://p'", "proxy=https://p, expected=http://HOST"),
                sound(
                        "retries: {first_backoff: 2s, longest_backoff: 1s}",
                        "longest_backoff=1s, expected=at least first_backoff=2s"),
                sound(
                        "retries: {first_backoff: 1m}",
                        "m.yaml:1:102: longest_backoff=30s, expected=at least first_backoff=1m"),
                sound(
                        "retries: 3",
                        "retries=3, expected=a mapping of max_attempts, budget, first_backoff, longest_backoff"),
                sound("http_version: 3", "http_version=3, expected=one of 1.1, 2"));
    }

    static Stream<Arguments> wrongOfProtocolAndSlack() {
        return Stream.of(
                sound("method: infer", "method is given, expected=protocol: open-inference with it"),
                sound(
                        "slack: {signal: 'a{b}'}",
                        "signal=a{b}, expected=a metric's name, perhaps with labels: NAME{LABEL=\"VALUE\"}"),
                sound("slack: {interval: 1s}", "slack has neither signal nor query, expected=one of them"),
                sound("slack: {signl: a}", "unknown key 'signl', did you mean 'signal'?"),
                sound(
                        "slack: {signal: a, query: b, url: 'http://p'}",
                        "slack has signal and query, expected=one of them"),
                sound("slack: {query: b}", "slack.url is absent, expected=the address of Prometheus for query"),
                sound("slack: {signal: a, interval: 5s, max_age: 1s}", "max_age=1s, expected=at least interval=5s"),
                sound(
                        "slack: {signal: a, curve: '4:1, 4:0'}",
                        "curve=4:1, 4:0, expected=VALUE:FRACTION, VALUE:FRACTION, …, rising values from 0, fractions of 0 to 1, such as '0:1, 4:0.5, 8:0'"),
                sound(
                        "slack: {signal: a, curve: {0: 1}}",
                        "curve=a mapping of 1, expected=a single value: VALUE:FRACTION, VALUE:FRACTION, …, rising"),
                sound("slack: {signal: a, curve: '0:2'}", "curve=0:2, expected=VALUE:FRACTION, "),
                sound("slack: {signal: a, curve: half}", "curve=half, expected=VALUE:FRACTION, "),
                sound("proxy: 'http://p:65536'", "proxy=http://p:65536, expected=a port of 1 to 65535"),
                sound("slack: {signal: a, url: 'http://p:0'}", "url=http://p:0, expected=a port of 1 to 65535"),
                sound(
                        "tls: {ca_file: \"a\\0\"}",
                        "m.yaml:1:92: ca_file: Nul character not allowed, expected=a file's path"),
                sound(
                        "tls: {certificate_file: a, key_file: \"a\\0\"}",
                        "key_file: Nul character not allowed, expected=a file's path"),
                sound("api_key: \"file:\\0\"", "api_key: Nul character not allowed, expected=a file's path"),
                sound(
                        "secret_headers: {X-Key: \"file:\\0\"}",
                        "secret_headers.X-Key: Nul character not allowed, expected=a file's path"),
                sound(
                        "extra_body: {top_k: 1, stream: true}",
                        "m.yaml:1:100: extra_body.stream is given, expected=another member: this one is set by the engine"),
                sound("extra_body: {n: ~}", "extra_body.n is given, expected=another member"),
                sound(
                        "protocol: open-inference, extra_body: {inputs: []}",
                        "extra_body.inputs is given, expected=another member"),
                sound("extra_body: [1]", "extra_body=a list, expected=a mapping of names to anything"),
                sound("extra_body: {a: {[b]: 1}}", "key=a list or a mapping, expected=a word"),
                sound("extra_body: &x {a: *x}", "depth=more than 16, expected=16 levels or fewer"),
                sound("extra_body: {a: .nan}", "value=.nan, expected=a number that JSON has"));
    }

    private static Arguments remote(String keys, String message) {
        return Arguments.of("models: {m: {engine: remote, remote: {" + keys + "}}}", message);
    }

    private static Arguments sound(String keys, String message) {
        return remote("endpoints: {a: {url: 'http://h/v1'}}, " + keys, message);
    }

    @ParameterizedTest
    @MethodSource({"wrong", "wrongBesideEndpoints", "wrongOfProtocolAndSlack"})
    void shouldSayWhatIsWrongAndWhereAndShowNoSecret(String yaml, String message) {
        ConfigReport report = ConfigReport.ofText("m.yaml", yaml, Map.of("API_KEY", KEY));

        assertThat(report.config()).isEmpty();
        assertThat(report.problems()).hasSize(1);
        assertThat(report.problems().getFirst().toString())
                .matches("m\\.yaml:1:\\d+: .*")
                .contains(message)
                .doesNotContain(KEY);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "slack: {signal: a} | 0",
                "slack: {signal: a, url: 'http://p'} | 1",
                "slack: {query: a, url: 'http://p'} | 1",
                "max_response_bytes: 1MiB | 1",
            })
    void shouldWarnOfAnAddressOfMetricsThatNothingReads(String keys, int warnings) {
        ConfigReport report = ConfigReport.ofText(
                "m.yaml",
                "models: {m: {engine: remote, remote: {endpoints: {a: {url: 'http://h/v1', metrics_url: 'http://h/m'}}, "
                        + keys + "}}}",
                Map.of());

        assertThat(report.config()).isPresent();
        assertThat(report.problems())
                .hasSize(warnings)
                .allSatisfy(problem -> assertThat(problem.toString())
                        .contains("m.yaml:1:88: ")
                        .contains("metrics_url of endpoint 'a' is not read, expected=slack.signal without slack.url"));
    }

    private static ModelSettings read(String yaml) throws ConfigException {
        return read(yaml, Map.of());
    }

    private static ModelSettings read(String yaml, Map<String, String> environment) throws ConfigException {
        return ConfigReport.ofText("m.yaml", yaml, environment)
                .orThrow()
                .models()
                .values()
                .iterator()
                .next();
    }
}
