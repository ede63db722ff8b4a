package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.millrace.remote.RemoteOptions.Breaker;
import io.millrace.remote.RemoteOptions.Connection;
import io.millrace.remote.RemoteOptions.Metric;
import io.millrace.remote.RemoteOptions.OpenInference;
import io.millrace.remote.RemoteOptions.Query;
import io.millrace.remote.RemoteOptions.Retries;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.RemoteOptions.Slack;
import io.millrace.remote.RemoteOptions.Tls;
import io.millrace.remote.protocol.OpenInferenceProtocol.Method;
import io.millrace.remote.protocol.OpenInferenceProtocol.Tensors;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each wrong option's message. */
class RemoteOptionsTest {

    private static final Server A = Server.of("a", URI.create("http://host:8000/v1"));
    private static final Duration SECOND = Duration.ofSeconds(1);

    private static void wrong(ThrowingCallable make, String message) {
        assertThatIllegalArgumentException().isThrownBy(make).withMessage(message);
    }

    @Test
    void shouldHaveDefaults() {
        RemoteOptions options = RemoteOptions.builder("m").endpoints(List.of(A)).build();
        assertThat(options.maxNumSeqs()).isEqualTo(256);
        assertThat(options.retries()).isEqualTo(Retries.DEFAULT);
        assertThat(options.slack()).isEmpty();
    }

    @Test
    void shouldCheckTheEngine() {
        wrong(() -> RemoteOptions.builder("m").build(), "remote.endpoints=[], expected=at least one");
        wrong(
                () -> RemoteOptions.builder(" ").endpoints(List.of(A)).build(),
                "model= , expected=the server's name for the model");
        wrong(
                () -> RemoteOptions.builder("m")
                        .endpoints(List.of(A))
                        .maxNumSeqs(0)
                        .build(),
                "max_num_seqs=0, expected=at least 1");
        wrong(
                () -> RemoteOptions.builder("m")
                        .endpoints(List.of(A))
                        .maxWaiting(0)
                        .build(),
                "max_waiting=0, expected=at least 1");
        wrong(
                () -> RemoteOptions.builder("m")
                        .endpoints(List.of(A))
                        .extraBody(Map.of("stream", false))
                        .build(),
                "remote.extra_body.stream=present, expected=absent: the engine sets it");
        wrong(
                () -> RemoteOptions.builder("m").endpoints(List.of(A, A)).build(),
                "remote.endpoints=[a, a], expected=unique names");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ftp://host | remote.endpoints.a.url=ftp://host, expected=http://host… or https://host…",
                "host:8000 | remote.endpoints.a.url=host:8000, expected=http://host… or https://host…",
                "http://user:pw@host | remote.endpoints.a.url=with user info, expected=none: use remote.secret_headers",
                "http://host/v1#x | remote.endpoints.a.url=http://host/v1#x, expected=no fragment",
            })
    void shouldCheckAUrl(String url, String message) {
        wrong(() -> Server.of("a", URI.create(url)), message);
    }

    @Test
    void shouldCheckAnEndpoint() {
        wrong(
                () -> Server.of("a b", A.url()),
                "remote.endpoints=a b, expected=names of letters, digits, '.', '_', '-'");
        wrong(
                () -> new Server("a", A.url(), 0, OptionalLong.empty(), Optional.empty()),
                "remote.endpoints.a.max_in_flight=0, expected=at least 1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Server("a", A.url(), 1, OptionalLong.of(0), Optional.empty()))
                .withMessageStartingWith("remote.endpoints.a.max_tokens_in_flight=");
    }

    @Test
    void shouldKeepAQueryAndNotShowIt() {
        Server server = Server.of("a", URI.create("https://host/deploy/?api-version=1&sig=secret"));
        assertThat(server.at("/chat/completions"))
                .isEqualTo(URI.create("https://host/deploy/chat/completions?api-version=1&sig=secret"));
        assertThat(server.shownUrl()).isEqualTo("https://host/deploy/");
    }

    @ParameterizedTest
    @CsvSource({
        "http://host:8000/v1, http://HOST:8000/metrics, true",
        "http://host:8000/v1, http://other:8000/metrics, false",
        "http://host:8000/v1, http://host:8001/metrics, false",
        "http://host:8000/v1, https://host:8000/metrics, false",
        "http://host/v1, http://host:80, true",
        "https://host/v1, https://host:443/x, true",
        "https://host/v1, https://host:80/x, false",
        "https://host/v1, https://host.evil.example/x, false",
    })
    void shouldKnowItsOwnHostAndPort(URI endpoint, URI other, boolean isOwn) {
        assertThat(Server.of("a", endpoint).isAt(other)).isEqualTo(isOwn);
    }

    private static Connection connection(Map<String, String> headers, Optional<URI> proxy, Duration read, long bytes) {
        return new Connection(
                headers, Map.of(), Optional.empty(), proxy, HttpClient.Version.HTTP_1_1, SECOND, read, SECOND, bytes);
    }

    @Test
    void shouldCheckTheConnection() {
        Optional<URI> none = Optional.empty();
        wrong(
                () -> connection(Map.of("X-A", "a\r\nX-B: b"), none, SECOND, 1),
                "remote.headers.X-A=a\r\nX-B: b, expected=one line of ASCII");
        wrong(
                () -> connection(Map.of("Host", "x"), none, SECOND, 1),
                "remote.headers=Host, expected=names of headers, other than [accept, connection, content-length,"
                        + " content-type, expect, host, upgrade]");
        wrong(
                () -> connection(Map.of(), Optional.of(URI.create("socks://x:1")), SECOND, 1),
                "remote.proxy=socks://x:1, expected=http://host:port");
        wrong(() -> connection(Map.of(), none, Duration.ZERO, 1), "remote.read_timeout=PT0S, expected=above 0");
        wrong(() -> connection(Map.of(), none, SECOND, 0), "remote.max_response_bytes=0, expected=at least 1");
    }

    @Test
    void shouldCheckRetriesAndBreaker() {
        wrong(() -> new Retries(0, 1, SECOND, SECOND), "remote.retries.max_attempts=0, expected=at least 1");
        wrong(() -> new Retries(1, 0, SECOND, SECOND), "remote.retries.budget=0.0, expected=above 0, to 1");
        wrong(
                () -> new Retries(1, 1, SECOND, Duration.ofMillis(1)),
                "remote.retries.longest_backoff=PT0.001S, expected=at least first_backoff=PT1S");
        wrong(() -> new Breaker(1.5, 1, SECOND), "remote.breaker.failure_rate=1.5, expected=above 0, to 1");
        wrong(() -> new Breaker(0.5, 0, SECOND), "remote.breaker.window=0, expected=at least 1");
        wrong(() -> new Breaker(0.5, 1, Duration.ZERO), "remote.breaker.open_time=PT0S, expected=above 0");
    }

    @Test
    void shouldCheckSlack() {
        SlackCurve curve = SlackCurve.parse("0:1, 8:0");
        wrong(
                () -> new Slack(Optional.empty(), new Query("up"), SECOND, SECOND, curve),
                "remote.slack.url=absent, expected=the url of Prometheus, for a query");
        wrong(
                () -> new Slack(Optional.empty(), new Metric("up"), SECOND, Duration.ofMillis(1), curve),
                "remote.slack.max_age=PT0.001S, expected=at least interval=PT1S");
        wrong(
                () -> new Slack(
                        Optional.of(URI.create("http://user:pw@prometheus")), new Query("up"), SECOND, SECOND, curve),
                "remote.slack.url=with user info, expected=none");
        wrong(
                () -> new Metric("a b"),
                "remote.slack.signal=a b, expected=a metric's name, perhaps with labels: NAME{LABEL=\"VALUE\"}");
        wrong(() -> new Query(""), "remote.slack.query=, expected=a PromQL expression");
    }

    @Test
    void shouldCheckTensors() {
        wrong(
                () -> new OpenInference(Method.INFER, new Tensors("a", List.of(2), "b")),
                "remote.tensors.shape=[2], expected=ones: [1], or [1, 1] with a batch");
        wrong(
                () -> new OpenInference(Method.INFER, new Tensors("", List.of(1), "b")),
                "remote.tensors.input=, expected=a tensor's name");
    }

    @Test
    void shouldCheckTls(@TempDir Path dir) throws Exception {
        Path file = Files.writeString(dir.resolve("x.pem"), "-----BEGIN RSA PRIVATE KEY-----");
        wrong(
                () -> new Tls(Optional.empty(), Optional.of(file), Optional.empty()),
                "remote.tls.key_file=absent, expected=certificate_file and key_file together");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        PemTls.context(new Tls(Optional.of(dir.resolve("none")), Optional.empty(), Optional.empty())))
                .withMessageStartingWith("remote.tls: java.nio.file.NoSuchFileException");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PemTls.context(new Tls(Optional.of(file), Optional.empty(), Optional.empty())))
                .withMessageStartingWith("remote.tls");
    }

    @Test
    void shouldSayWhichTlsFileIsNotWhatItShouldBe(@TempDir Path dir) throws Exception {
        Path empty = Files.writeString(dir.resolve("empty.pem"), "");
        wrong(
                () -> PemTls.context(new Tls(Optional.of(empty), Optional.empty(), Optional.empty())),
                "remote.tls.ca_file=" + empty + ", expected=a PEM file of certificates");

        Path certificate = TestCertificate.make(dir, "client").certificate();
        Path old = Files.writeString(dir.resolve("old.pem"), "-----BEGIN RSA PRIVATE KEY-----");
        wrong(
                () -> PemTls.context(new Tls(Optional.empty(), Optional.of(certificate), Optional.of(old))),
                "remote.tls.key_file=" + old + ", expected=a PEM file with BEGIN PRIVATE KEY: openssl pkcs8 -topk8"
                        + " -nocrypt makes one of others");
        Path none = pem(dir.resolve("none.pem"), new byte[] {1, 2, 3});
        wrong(
                () -> PemTls.context(new Tls(Optional.empty(), Optional.of(certificate), Optional.of(none))),
                "remote.tls.key_file=" + none + ", expected=a key of [RSA, EC, EdDSA]");
        for (String algorithm : List.of("RSA", "EC", "Ed25519")) {
            byte[] key = KeyPairGenerator.getInstance(algorithm)
                    .generateKeyPair()
                    .getPrivate()
                    .getEncoded();
            Path file = pem(dir.resolve(algorithm + ".pem"), key);
            assertThat(PemTls.context(new Tls(Optional.empty(), Optional.of(certificate), Optional.of(file))))
                    .as(algorithm)
                    .isNotNull();
        }
    }

    private static Path pem(Path file, byte[] key) throws IOException {
        String text = Base64.getMimeEncoder().encodeToString(key);
        return Files.writeString(file, "-----BEGIN PRIVATE KEY-----\n" + text + "\n-----END PRIVATE KEY-----\n");
    }

    @Test
    void shouldNotTakeAnythingForASecret(@TempDir Path dir) throws Exception {
        wrong(
                () -> Secret.at("remote.api_key", "env:KEY", Map.of("KEY", "")),
                "remote.api_key=env:KEY, expected=one line of ASCII that is not empty");
        Path large = Files.writeString(dir.resolve("large"), "x".repeat((64 << 10) + 1));
        wrong(
                () -> Secret.at("remote.api_key", "file:" + large),
                "remote.api_key=file:" + large + ", expected=a file of at most 65536 bytes");
    }

    @Test
    void shouldReadSecretsFromTheirPlacesOnly(@TempDir Path dir) throws Exception {
        Path file = Files.writeString(dir.resolve("key"), "sk-1\n");
        Secret ofFile = Secret.at("remote.api_key", "file:" + file);
        assertThat(ofFile.value()).isEqualTo("sk-1");
        assertThat(ofFile.prefixed("Bearer ").value()).isEqualTo("Bearer sk-1");
        assertThat(ofFile).hasToString("file:" + file);
        Files.writeString(file, "sk-2");
        assertThat(ofFile.value()).as("as it is now").isEqualTo("sk-2");
        assertThat(Secret.at("remote.api_key", "env:KEY", Map.of("KEY", "sk-3")).value())
                .isEqualTo("sk-3");

        wrong(
                () -> Secret.at("remote.api_key", "sk-in-the-file"),
                "remote.api_key=(not shown), expected=env:NAME or file:/path");
        wrong(
                () -> Secret.at("remote.api_key", "env:KEY", Map.of()),
                "remote.api_key=env:KEY, expected=a variable that is set");
        wrong(
                () -> Secret.at("remote.api_key", "env:KEY", Map.of("KEY", "a\nb")),
                "remote.api_key=env:KEY, expected=one line of ASCII that is not empty");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Secret.at("remote.api_key", "file:" + dir.resolve("none")))
                .withMessageStartingWith("remote.api_key=file:" + dir.resolve("none") + ", expected=a readable file");
    }
}
