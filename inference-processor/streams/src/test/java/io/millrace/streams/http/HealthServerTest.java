package io.millrace.streams.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.engine.EngineStats;
import io.millrace.streams.app.ProcessorStatus;
import io.millrace.streams.app.ProcessorStatus.State;
import io.millrace.streams.app.StartException;
import io.millrace.streams.config.HttpSettings;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.GateLimits;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class HealthServerTest {
    private static final HttpSettings ANY_PORT = new HttpSettings(true, "127.0.0.1", 0);

    private final HttpClient client = HttpClient.newHttpClient();
    private volatile Optional<ProcessorStatus> status = Optional.empty();
    private final HealthServer server = HealthServer.start(ANY_PORT, () -> status, () -> "a_metric 1.0\n");

    @AfterEach
    void close() {
        server.close();
        client.close();
    }

    static Stream<Arguments> states() {
        return Stream.of(
                Arguments.of(status(State.STARTING, true), 200, 503, "joining the group and restoring what is pending"),
                Arguments.of(status(State.RUNNING, true), 200, 200, ""),
                Arguments.of(status(State.REBALANCING, true), 200, 200, ""),
                Arguments.of(status(State.CLOSING, true), 200, 503, "shutting down"),
                Arguments.of(status(State.CLOSED, true), 503, 503, "closed"),
                Arguments.of(status(State.FAILED, true), 503, 503, "stopped by an error, see the log"),
                Arguments.of(status(State.RUNNING, false), 200, 503, "engine of model m is not healthy"),
                Arguments.of(
                        status(State.RUNNING, true, new Closure(Closure.Reason.REGISTRY, "")),
                        200,
                        503,
                        "nothing is fetched: the schema registry does not answer"),
                Arguments.of(
                        status(State.RUNNING, true, new Closure(Closure.Reason.ENGINE, "m")),
                        200,
                        503,
                        "nothing is fetched: the engine of model m takes no requests"),
                Arguments.of(
                        status(State.RUNNING, true, new Closure(Closure.Reason.FULL, "")),
                        200,
                        200,
                        "nothing is fetched: pending=12 of 100, bytes=3400 of 10000"),
                Arguments.of(
                        status(State.RUNNING, true, new Closure(Closure.Reason.PAUSED, "job=nightly")),
                        200,
                        200,
                        "nothing is fetched: paused=5 of 1600 by job=nightly: resume or cancel it, or raise"
                                + " processor.max_paused"));
    }

    @ParameterizedTest
    @MethodSource("states")
    void shouldAnswerProbesByTheState(ProcessorStatus now, int live, int ready, String reason) throws Exception {
        status = Optional.of(now);

        assertThat(get("/livez").statusCode()).isEqualTo(live);
        HttpResponse<String> answer = get("/readyz");
        assertThat(answer.statusCode()).isEqualTo(ready);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json; charset=utf-8");
        JsonNode json = new ObjectMapper().readTree(answer.body());
        assertThat(json.get("status").asText()).isEqualTo(ready == 200 ? "ready" : "not ready");
        assertThat(json.get("state").asText()).isEqualTo(now.state().name());
        assertThat(json.get("reasons").toString()).isEqualTo(reason.isEmpty() ? "[]" : "[\"" + reason + "\"]");
        assertThat(json.get("pending").asInt()).isEqualTo(12);
        assertThat(json.get("paused").asInt()).isEqualTo(5);
        assertThat(json.at("/engines/m/running").asInt()).isEqualTo(3);
    }

    @Test
    void shouldBeLiveAndNotReadyWhileModelsLoad() throws Exception {
        assertThat(get("/livez").statusCode()).isEqualTo(200);
        HttpResponse<String> answer = get("/readyz");
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).contains("models are being loaded").contains("STARTING");
    }

    @Test
    void shouldServeMetricsInPrometheusFormat() throws Exception {
        HttpResponse<String> answer = get("/metrics");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("text/plain; version=0.0.4; charset=utf-8");
        assertThat(answer.body()).isEqualTo("a_metric 1.0\n");
    }

    @Test
    void shouldAnswerHeadWithoutABody() throws Exception {
        HttpResponse<String> answer = send("HEAD", "/livez");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEmpty();
    }

    @Test
    void shouldRefuseOtherPathsAndMethods() throws Exception {
        assertThat(get("/").statusCode()).isEqualTo(404);
        assertThat(get("/livezzz").body()).isEqualTo("expected=/livez, /readyz or /metrics\n");
        HttpResponse<String> post = send("POST", "/metrics");
        assertThat(post.statusCode()).isEqualTo(405);
        assertThat(post.headers().firstValue("Allow")).hasValue("GET, HEAD");
        assertThat(post.body()).isEqualTo("method=POST, expected=GET or HEAD\n");
    }

    @Test
    void shouldAnswer500WhenTheStatusCannotBeRead() throws Exception {
        try (HealthServer broken = HealthServer.start(
                ANY_PORT,
                () -> {
                    throw new IllegalStateException("broken");
                },
                () -> "")) {
            assertThat(send("GET", broken.port(), "/readyz").statusCode()).isEqualTo(500);
            assertThat(send("GET", broken.port(), "/metrics").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void shouldBoundRequestsAtOnce() throws Exception {
        CountDownLatch held = new CountDownLatch(16);
        CountDownLatch release = new CountDownLatch(1);
        try (HealthServer slow = HealthServer.start(ANY_PORT, () -> status, () -> {
            held.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return "done\n";
        })) {
            List<CompletableFuture<HttpResponse<String>>> waiting = IntStream.range(0, 16)
                    .mapToObj(i -> client.sendAsync(request("GET", slow.port(), "/metrics"), bodies()))
                    .toList();
            held.await();

            assertThat(send("GET", slow.port(), "/metrics").statusCode()).isEqualTo(503);

            release.countDown();
            assertThat(waiting)
                    .allSatisfy(answer -> assertThat(answer.join().statusCode()).isEqualTo(200));
        }
    }

    @Test
    void shouldNameTheKeyWhenThePortIsInUse() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            HttpSettings settings = new HttpSettings(true, "127.0.0.1", taken.getLocalPort());

            assertThatThrownBy(() -> HealthServer.start(settings, () -> status, () -> ""))
                    .isInstanceOf(StartException.class)
                    .hasMessage("http.port=" + taken.getLocalPort()
                            + " on http.host=127.0.0.1, expected=a free port of this machine (Address already in use);"
                            + " set another http.port, or 0 for any, or http.enabled: false");
        }
    }

    @Test
    void shouldNameTheKeyWhenTheHostIsNotThisMachine() {
        assertThatThrownBy(() ->
                        HealthServer.start(new HttpSettings(true, "no.such.host.invalid", 0), () -> status, () -> ""))
                .isInstanceOf(StartException.class)
                .hasMessage("http.host=no.such.host.invalid, expected=an address of this machine; no such host");
        assertThatThrownBy(() -> HealthServer.start(new HttpSettings(true, "192.0.2.1", 0), () -> status, () -> ""))
                .isInstanceOf(StartException.class)
                .hasMessageStartingWith("http.port=0 on http.host=192.0.2.1, expected=a free port of this machine");
    }

    @Test
    void shouldFreeThePortWhenClosed() throws Exception {
        HealthServer first = HealthServer.start(ANY_PORT, () -> status, () -> "");
        int port = first.port();

        first.close();

        try (HealthServer second =
                HealthServer.start(new HttpSettings(true, "127.0.0.1", port), () -> status, () -> "")) {
            assertThat(send("GET", second.port(), "/livez").statusCode()).isEqualTo(200);
        }
    }

    private HttpResponse<String> get(String path) throws Exception {
        return send("GET", path);
    }

    private HttpResponse<String> send(String method, String path) throws Exception {
        return send(method, server.port(), path);
    }

    private HttpResponse<String> send(String method, int port, String path) throws Exception {
        return client.send(request(method, port, path), bodies());
    }

    private static HttpRequest request(String method, int port, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .timeout(Duration.ofSeconds(30))
                .build();
    }

    private static HttpResponse.BodyHandler<String> bodies() {
        return HttpResponse.BodyHandlers.ofString();
    }

    private static ProcessorStatus status(State state, boolean healthy, Closure... closures) {
        return new ProcessorStatus(
                state,
                Set.of(closures),
                12,
                3400,
                5,
                new GateLimits(100, 50, 10_000),
                Map.of("m", new EngineStats(healthy, 3, 4, 0.25, 5, 6, 7, 8, 9, 10, 11, 12, 13)));
    }
}
