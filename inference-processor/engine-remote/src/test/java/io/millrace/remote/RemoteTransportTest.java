package io.millrace.remote;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.postRequestedFor;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.wireMockConfig;
import static io.millrace.remote.TestEngine.completed;
import static io.millrace.remote.TestEngine.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.core.WireMockConfiguration;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.millrace.engine.Completion;
import io.millrace.engine.FailureCode;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.RemoteOptions.Connection;
import io.millrace.remote.RemoteOptions.OpenInference;
import io.millrace.remote.RemoteOptions.Tls;
import io.millrace.remote.protocol.OpenInferenceProtocol.Method;
import io.millrace.remote.protocol.OpenInferenceProtocol.Tensors;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient.Version;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How requests travel: headers, secrets, TLS, HTTP/2, a proxy; and what of it shows. */
class RemoteTransportTest {

    private static final String ANSWER =
            "data: {\"choices\":[{\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

    @TempDir
    Path dir;

    private static Connection connection(
            Map<String, String> headers,
            Map<String, Secret> secrets,
            Optional<Tls> tls,
            Optional<URI> proxy,
            Version version) {
        return new Connection(
                headers,
                secrets,
                tls,
                proxy,
                version,
                Duration.ofSeconds(5),
                Duration.ofMinutes(1),
                Duration.ofMinutes(1),
                1 << 20);
    }

    private static WireMockServer wireMock(WireMockConfiguration config) {
        WireMockServer server = new WireMockServer(config.bindAddress("127.0.0.1"));
        server.start();
        server.stubFor(post(anyUrl())
                .willReturn(aResponse()
                        .withHeader("Content-Type", "text/event-stream")
                        .withBody(ANSWER)));
        return server;
    }

    @Test
    void shouldSendHeadersAndSecretsAndShowNoSecret() throws Exception {
        Path key = Files.writeString(dir.resolve("key"), "sk-12345\n");
        AtomicReference<SocketServer.Request> seen = new AtomicReference<>();
        try (SocketServer server = SocketServer.start((request, reply) -> {
                    seen.set(request);
                    reply.json(401, "{\"error\":{\"message\":\"Incorrect API key provided: sk-12345.\"}}");
                });
                TestEngine engine = TestEngine.before(
                        List.of(server.url()),
                        options -> options.breaker(new RemoteOptions.Breaker(0.5, 20, Duration.ofMillis(50)))
                                .connection(connection(
                                        Map.of("X-Team", "search"),
                                        Map.of(
                                                "Authorization",
                                                Secret.at("remote.api_key", "file:" + key)
                                                        .prefixed("Bearer ")),
                                        Optional.empty(),
                                        Optional.empty(),
                                        Version.HTTP_1_1)))) {
            CompletableFuture<Completion> waits = engine.chat("hello");
            await().until(() -> engine.engine().describe().contains("Incorrect API key provided: ***."));

            assertThat(seen.get().headers())
                    .containsEntry("X-Team", "search")
                    .containsEntry("Authorization", "Bearer sk-12345")
                    .containsEntry("Content-Type", "application/json")
                    .containsEntry("Accept", "text/event-stream");
            await().during(Duration.ofMillis(100))
                    .until(() -> !engine.engine().describe().contains("12345"));
            assertThat(waits).isNotDone();

            Files.delete(key);
            await().until(() -> engine.engine().describe().contains("remote.api_key=file:"));
        }
    }

    @Test
    void shouldGoThroughAProxy() throws Exception {
        AtomicReference<String> path = new AtomicReference<>();
        try (SocketServer proxy = SocketServer.start((request, reply) -> {
                    path.set(request.path());
                    reply.answer("by proxy");
                });
                TestEngine engine = TestEngine.before(
                        List.of(URI.create("http://model.invalid/v1")),
                        options -> options.connection(connection(
                                Map.of(),
                                Map.of(),
                                Optional.empty(),
                                Optional.of(URI.create("http://127.0.0.1:" + proxy.port())),
                                Version.HTTP_1_1)))) {
            assertThat(text(engine.chat("hello"))).isEqualTo("by proxy");
            assertThat(path).hasValue("http://model.invalid/v1/chat/completions");
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldTrustItsOwnAuthorityAndShowItsCertificate(Version version) throws Exception {
        TestCertificate ofServer = TestCertificate.make(dir, "server");
        TestCertificate ofClient = TestCertificate.make(dir, "client");
        WireMockServer server = wireMock(wireMockConfig()
                .dynamicPort()
                .dynamicHttpsPort()
                .keystoreType("PKCS12")
                .keystorePath(ofServer.store().toString())
                .keystorePassword(TestCertificate.PASSWORD)
                .keyManagerPassword(TestCertificate.PASSWORD)
                .needClientAuth(true)
                .trustStoreType("PKCS12")
                .trustStorePath(ofClient.trustStore().toString())
                .trustStorePassword(TestCertificate.PASSWORD));
        URI url = URI.create("https://127.0.0.1:" + server.httpsPort() + "/v1");
        Tls ours = new Tls(
                Optional.of(ofServer.certificate()), Optional.of(ofClient.certificate()), Optional.of(ofClient.key()));
        Tls nobodys = new Tls(Optional.empty(), Optional.empty(), Optional.empty());
        try (TestEngine engine = tls(url, ours, version);
                TestEngine untrusting = tls(url, nobodys, version)) {
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            assertThat(server.findAll(postRequestedFor(anyUrl())).getLast().getProtocol())
                    .isEqualTo(version == Version.HTTP_2 ? "HTTP/2.0" : "HTTP/1.1");

            CompletableFuture<Completion> waits = untrusting.chat("hello");
            await().until(() -> untrusting.engine().describe().contains("no TLS connection"));
            assertThat(waits).isNotDone();
        } finally {
            server.stop();
        }
    }

    private static TestEngine tls(URI url, Tls tls, Version version) {
        return TestEngine.before(
                List.of(url),
                options -> options.connection(
                        connection(Map.of(), Map.of(), Optional.of(tls), Optional.empty(), version)));
    }

    @Test
    void shouldEmbed() throws IOException {
        try (SocketServer server = SocketServer.start((request, reply) -> reply.json(
                        200,
                        request.path().equals("/v1/embeddings")
                                ? "{\"data\":[{\"embedding\":[1,2]}],\"usage\":{\"prompt_tokens\":4}}"
                                : "{}"));
                TestEngine engine = TestEngine.before(server.url())) {
            Completion.Completed completed = completed(engine.submit(
                    engine.request(Operation.EMBED, "hello", SamplingParameters.DEFAULT, Optional.empty())));

            assertThat(completed.output()).isEqualTo(new Output.Embedding(List.of(1f, 2f)));
            assertThat(completed.usage()).isEqualTo(new Completion.Usage(4, 0, 0));
        }
    }

    @Test
    void shouldAskTriton() throws IOException {
        AtomicReference<SocketServer.Request> seen = new AtomicReference<>();
        try (SocketServer server = SocketServer.start((request, reply) -> {
                    seen.set(request);
                    reply.json(200, "{\"model_name\":\"served\",\"model_version\":\"2\",\"text_output\":\"hi\"}");
                });
                TestEngine engine = TestEngine.before(
                        List.of(URI.create("http://127.0.0.1:" + server.port())),
                        options -> options.dialect(new OpenInference(Method.GENERATE, Tensors.DEFAULT)))) {
            Completion.Completed completed = completed(engine.submit(
                    engine.request(Operation.GENERATE, "hello", SamplingParameters.DEFAULT, Optional.empty())));

            assertThat(completed.output()).isInstanceOf(Output.Text.class);
            assertThat(completed.model().version()).contains("2");
            assertThat(seen.get().path()).isEqualTo("/v2/models/served/generate");
            assertThat(seen.get().headers()).containsEntry("Accept", "application/json");
        }
    }

    private static TestEngine beforeTriton(SocketServer server, Method method) {
        return TestEngine.before(
                List.of(URI.create("http://127.0.0.1:" + server.port())),
                options -> options.dialect(new OpenInference(method, Tensors.DEFAULT)));
    }

    @Test
    void shouldAskAgainWhereTritonsStreamIsCutOff() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    reply.events().event("{\"text_output\":\"hi\"}");
                    if (asked.incrementAndGet() == 1) {
                        reply.hangUp();
                    }
                    reply.event("{\"text_output\":\" there\"}").end();
                });
                TestEngine engine = beforeTriton(server, Method.GENERATE_STREAM)) {
            String text = text(engine.submit(
                    engine.request(Operation.GENERATE, "hello", SamplingParameters.DEFAULT, Optional.empty())));

            assertThat(text).isEqualTo("hi there");
            assertThat(asked).hasValue(2);
        }
    }

    @Test
    void shouldNotLetAServerGenerateOnThatKnowsNoStopStrings() throws Exception {
        CountDownLatch hungUp = new CountDownLatch(1);
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    reply.events().event("{\"text_output\":\"hi. \"}");
                    reply.awaitHangUp(hungUp);
                });
                TestEngine engine = beforeTriton(server, Method.GENERATE_STREAM)) {
            SamplingParameters stop =
                    SamplingParameters.builder().stop(List.of(".")).build();

            String text = text(engine.submit(engine.request(Operation.GENERATE, "hello", stop, Optional.empty())));

            assertThat(text).isEqualTo("hi");
            assertThat(hungUp.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void shouldReadWhyTritonRefusesAStream() throws IOException {
        try (SocketServer server = SocketServer.start((_, reply) -> reply.whole(
                        400, "text/event-stream; charset=utf-8", "data: {\"error\":\"no such voice\"}\n\n\n"));
                TestEngine engine = beforeTriton(server, Method.GENERATE_STREAM)) {
            Completion.Failed failed = TestEngine.failed(engine.submit(
                    engine.request(Operation.GENERATE, "hello", SamplingParameters.DEFAULT, Optional.empty())));

            assertThat(failed.code()).isEqualTo(FailureCode.INVALID_REQUEST);
            assertThat(failed.message()).isEqualTo("no such voice");
        }
    }

    @Test
    void shouldMeterEachEndpoint() throws IOException {
        try (SocketServer server = SocketServer.start((request, reply) -> {
                    if (request.body().contains("wrong")) {
                        reply.json(400, "{\"error\":{\"message\":\"no\"}}");
                    } else if (request.body().contains("broken")) {
                        reply.json(500, "{}");
                    } else {
                        reply.answer("ok");
                    }
                });
                TestEngine engine = TestEngine.before(server.url())) {
            SimpleMeterRegistry registry = new SimpleMeterRegistry();
            engine.engine().bindTo(registry);
            text(engine.chat("hello"));
            TestEngine.failed(engine.chat("wrong"));
            TestEngine.failed(engine.chat("broken"));

            assertThat(registry.get("millrace.remote.request")
                            .tags("model_name", "m", "endpoint", "a")
                            .timer()
                            .count())
                    .isEqualTo(1);
            assertThat(registry.get("millrace.remote.time.to.first.token")
                            .timer()
                            .count())
                    .isEqualTo(1);
            assertThat(registry.get("millrace.remote.errors")
                            .tag("kind", "invalid_request")
                            .counter()
                            .count())
                    .isEqualTo(1);
            assertThat(registry.get("millrace.remote.errors")
                            .tag("kind", "server_error")
                            .counter()
                            .count())
                    .isEqualTo(3);
            assertThat(registry.get("millrace.remote.retries").counter().count())
                    .isEqualTo(2);
            assertThat(registry.get("millrace.remote.limit").gauge().value()).isGreaterThanOrEqualTo(8);
            assertThat(registry.get("millrace.remote.in.flight").gauge().value())
                    .isZero();
            assertThat(registry.get("millrace.remote.tokens.in.flight").gauge().value())
                    .isZero();
            assertThat(registry.get("millrace.remote.breaker.state").gauge().value())
                    .isZero();
            assertThat(registry.get("millrace.remote.slack.fraction").gauge().value())
                    .isEqualTo(1);
        }
    }
}
