package io.millrace.remote;

import static io.millrace.remote.TestEngine.headers;
import static io.millrace.remote.TestEngine.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.millrace.engine.Completion;
import io.millrace.remote.RemoteOptions.Connection;
import io.millrace.remote.RemoteOptions.Metric;
import io.millrace.remote.RemoteOptions.Query;
import io.millrace.remote.RemoteOptions.Signal;
import io.millrace.remote.RemoteOptions.Slack;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Only what live traffic leaves. */
class SlackTest {

    private static final SlackCurve CURVE = SlackCurve.parse("0:1, 4:0.5, 8:0");
    private static final Metric WAITING = new Metric("vllm:num_requests_waiting");

    @ParameterizedTest
    @CsvSource({"-1, 1", "0, 1", "2, 0.75", "4, 0.5", "6, 0.25", "7.9, 0.0125", "8, 0", "1e9, 0"})
    void shouldGoByTheCurve(double value, double fraction) {
        assertThat(CURVE.at(value)).isEqualTo(fraction, within(1e-9));
    }

    @Test
    void shouldBeLevelBeforeTheFirstPointAndAfterTheLast() {
        SlackCurve curve = SlackCurve.parse("2:0.9, 4:0.5");
        assertThat(curve.at(0)).isEqualTo(0.9);
        assertThat(curve.at(100)).isEqualTo(0.5);
        assertThat(SlackCurve.parse("2:0.7").at(0)).isEqualTo(0.7);
        assertThat(SlackCurve.parse("2:0.7").at(3)).isEqualTo(0.7);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0-1 | remote.slack.curve=0-1, expected=value:fraction, value:fraction, …",
                "0:x | remote.slack.curve=0:x, expected=value:fraction, value:fraction, …",
                "4:1, 4:0 | remote.slack.curve=4.0, expected=values that rise from point to point",
                "0:2 | remote.slack.curve=2.0, expected=fractions of 0 to 1",
            })
    void shouldRefuseACurveThatIsNone(String text, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SlackCurve.parse(text))
                .withMessage(message);
    }

    @Test
    void shouldSumTheSeriesOfOneMetric() {
        String text = """
                # HELP vllm:num_requests_waiting Number of requests waiting.
                # TYPE vllm:num_requests_waiting gauge
                vllm:num_requests_waiting{model_name="a}b\\"{",engine="0"} 3.0
                vllm:num_requests_waiting{model_name="b"} 2 1700000000000
                vllm:num_requests_waiting_total 100
                vllm:num_requests_running 7
                vllm:broken NaN
                vllm:broken x
                vllm:full +Inf
                """;
        assertThat(PrometheusText.sum(text, "vllm:num_requests_waiting")).hasValue(5);
        assertThat(PrometheusText.sum(text, "vllm:num_requests_running")).hasValue(7);
        assertThat(PrometheusText.sum(text, "vllm:full")).hasValue(Double.POSITIVE_INFINITY);
        assertThat(PrometheusText.sum(text, "vllm:broken")).isEmpty();
        assertThat(PrometheusText.sum(text, "vllm:num")).isEmpty();
    }

    @Test
    void shouldSumOnlyTheSeriesWithTheLabels() {
        String text = """
                # TYPE nv_inference_pending_request_count gauge
                nv_inference_pending_request_count{model="llm",version="1"} 3
                nv_inference_pending_request_count{model="llm",version="2"} 4
                nv_inference_pending_request_count{model="l=\"\\"lm",version="1"} 50
                nv_inference_pending_request_count{model="embedder",version="1"} 600
                nv_inference_pending_request_count 7000
                nv_inference_pending_request_count{model="llm
                """;
        String name = "nv_inference_pending_request_count";
        assertThat(PrometheusText.sum(text, name)).hasValue(7657);
        assertThat(PrometheusText.sum(text, name + "{model=\"llm\"}")).hasValue(7);
        assertThat(PrometheusText.sum(text, name + "{version=\"1\", model=\"llm\"}"))
                .hasValue(3);
        assertThat(PrometheusText.sum(text, name + "{model=\"other\"}")).isEmpty();
    }

    @Test
    void shouldReadEachEndpointsMetricsWhereTheyAre() throws Exception {
        Queue<String> paths = new ConcurrentLinkedQueue<>();
        AtomicReference<String> metrics = new AtomicReference<>("up{a=\"1\"} 0\nup{a=\"2\"} 9");
        try (SocketServer elsewhere = server(metrics, paths);
                SocketServer server = SocketServer.start((request, reply) -> {
                    if (request.path().equals("/metrics")) {
                        reply.json(404, "{\"error\":\"Not Found\"}"); // as Triton
                    } else {
                        reply.answer("ok");
                    }
                })) {
            URI there = URI.create("http://127.0.0.1:" + elsewhere.port() + "/of/metrics");
            try (TestEngine engine = TestEngine.before(
                    List.of(server.url()),
                    options -> options.endpoints(List.of(new RemoteOptions.Server(
                                    "a", server.url(), 8, OptionalLong.empty(), Optional.of(there))))
                            .slack(slack(Optional.empty(), new Metric("up{a=\"1\"}"))))) {
                await().until(() -> engine.engine().stats().healthy());
                assertThat(text(engine.chat("hello"))).isEqualTo("ok");
                assertThat(paths).contains("/of/metrics");
            }
            URI nowhere = server.url().resolve("/nowhere");
            try (TestEngine engine = TestEngine.before(
                    List.of(server.url()),
                    options -> options.endpoints(List.of(new RemoteOptions.Server(
                                    "a", server.url(), 8, OptionalLong.empty(), Optional.of(nowhere))))
                            .slack(slack(Optional.of(there), new Metric("up{a=\"1\"}"))))) {
                // slack.url is for all
                await().until(() -> engine.engine().stats().healthy());
            }
        }
    }

    @Test
    void shouldLeaveNothingWithoutAFreshReading() {
        Slack options = new Slack(Optional.empty(), WAITING, Duration.ofSeconds(1), Duration.ofSeconds(5), CURVE);
        SlackGate.BySignal gate = new SlackGate.BySignal(options);
        assertThat(gate.fraction(0)).isZero();
        assertThat(gate.describe(0)).contains("was not read for 5.0 s: not read yet");

        gate.read(4, 0);
        assertThat(gate.fraction(5_000_000_000L)).isEqualTo(0.5);
        assertThat(gate.fraction(5_000_000_001L)).isZero();
        gate.failed("status=500");
        assertThat(gate.describe(6_000_000_000L)).endsWith("status=500");
    }

    @Test
    void shouldNotSendAtOnceWhatAReadingAllows() {
        Slack options = new Slack(Optional.empty(), WAITING, Duration.ofSeconds(1), Duration.ofSeconds(5), CURVE);
        SlackGate.BySignal gate = new SlackGate.BySignal(options);
        gate.read(0, 0);
        assertThat(gate.most(100, 0, 0)).isEqualTo(1);
        assertThat(gate.most(100, 1, 0)).as("the same reading").isEqualTo(1);
        gate.read(0, 0);
        assertThat(gate.most(100, 1, 0)).isEqualTo(3);
        assertThat(gate.most(100, 3, 0)).isEqualTo(3);
        gate.read(0, 0);
        assertThat(gate.most(100, 60, 0)).isEqualTo(100);
        gate.read(4, 0);
        assertThat(gate.most(100, 100, 0)).as("half of the budget").isEqualTo(50);
        assertThat(SlackGate.OPEN.most(100, 0, 0)).isEqualTo(100);
    }

    /** A model server whose metrics say what is set here. */
    private static SocketServer server(AtomicReference<String> metrics, Queue<String> paths) throws Exception {
        return SocketServer.start((request, reply) -> {
            paths.add(request.path());
            if (request.method().equals("GET")) {
                reply.whole(200, "text/plain", metrics.get());
            } else {
                reply.answer("ok");
            }
        });
    }

    private static Slack slack(Optional<URI> url, Signal signal) {
        return new Slack(url, signal, Duration.ofMillis(20), Duration.ofMillis(500), CURVE);
    }

    @Test
    void shouldWaitWhileTheServersOwnMetricLeavesNothing() throws Exception {
        AtomicReference<String> metrics = new AtomicReference<>("vllm:num_requests_waiting 2");
        Queue<String> paths = new ConcurrentLinkedQueue<>();
        try (SocketServer server = server(metrics, paths);
                TestEngine engine = TestEngine.before(
                        List.of(server.url()), options -> options.slack(slack(Optional.empty(), WAITING)))) {
            assertThat(engine.engine().stats().healthy())
                    .as("before the first reading")
                    .isFalse();
            await().until(() -> engine.engine().stats().healthy());
            assertThat(engine.engine().describe()).contains("slack 0.75");
            assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            assertThat(paths).contains("/metrics");

            metrics.set("vllm:num_requests_waiting 8");
            await().until(() -> !engine.engine().stats().healthy());
            assertThat(engine.engine().awaitsServer()).isTrue();
            assertThat(engine.engine().describe()).contains("8.0 leaves 0.00 of the budgets");

            metrics.set("no such metric");
            await().until(() -> engine.engine().describe().contains("expected=among those served"));
            metrics.set("vllm:num_requests_waiting 0");
            await().until(() -> engine.engine().stats().healthy());
        }
    }

    @Test
    void shouldSendOneUntilAReadingShowsWhatThatDoes() throws Exception {
        AtomicReference<String> metrics = new AtomicReference<>("vllm:num_requests_waiting 0");
        CompletableFuture<Void> hold = new CompletableFuture<>();
        Slack once = new Slack(Optional.empty(), WAITING, Duration.ofHours(1), Duration.ofHours(2), CURVE);
        try (SocketServer server = SocketServer.start((request, reply) -> {
                    if (request.method().equals("GET")) {
                        reply.whole(200, "text/plain", metrics.get());
                    } else {
                        hold.join();
                        reply.answer("ok");
                    }
                });
                TestEngine engine = TestEngine.before(List.of(server.url()), options -> options.slack(once))) {
            await().until(() -> engine.engine().stats().healthy());
            List<CompletableFuture<Completion>> all =
                    IntStream.range(0, 5).mapToObj(i -> engine.chat("" + i)).toList();
            assertThat(engine.engine().stats().running()).isEqualTo(1);
            assertThat(engine.engine().stats().waiting()).isEqualTo(4);

            hold.complete(null);
            for (CompletableFuture<Completion> each : all) {
                assertThat(text(each)).isEqualTo("ok");
            }
        }
    }

    @Test
    void shouldGoByAQuery() throws Exception {
        AtomicReference<String> metrics = new AtomicReference<>(
                "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},\"value\":[1,\"1\"]},{\"metric\":{},\"value\":[1,\"3\"]}]}}");
        Queue<String> paths = new ConcurrentLinkedQueue<>();
        try (SocketServer prometheus = server(metrics, paths);
                SocketServer server = SocketServer.start((_, reply) -> reply.answer("ok"));
                TestEngine engine = TestEngine.before(
                        List.of(server.url()),
                        options -> options.slack(slack(
                                Optional.of(URI.create("http://127.0.0.1:" + prometheus.port())),
                                new Query("sum(a{b=\"c\"})"))))) {
            await().until(() -> engine.engine().describe().contains("slack 0.50"));
            assertThat(paths).contains("/api/v1/query?query=sum%28a%7Bb%3D%22c%22%7D%29");

            metrics.set("{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"6\"]}}");
            await().until(() -> engine.engine().describe().contains("slack 0.25"));
            metrics.set("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}");
            await().until(() -> engine.engine().describe().contains("with 0 results, expected=at least one"));
            metrics.set("{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"NaN\"]}}");
            await().until(() -> engine.engine().describe().contains("query result is no number"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/,               /api/v1/query?query=up",
        "/prom/,          /prom/api/v1/query?query=up",
        "?team=a%26b,     /api/v1/query?team=a%26b&query=up",
        "/prom//?k=1&l=2, /prom/api/v1/query?k=1&l=2&query=up"
    })
    void shouldAskAQueryBesideWhatTheUrlHas(String url, String asked) throws Exception {
        Queue<String> paths = new ConcurrentLinkedQueue<>();
        try (SocketServer prometheus = server(new AtomicReference<>("{}"), paths);
                SocketServer server = SocketServer.start((_, reply) -> reply.answer("ok"));
                TestEngine _ = TestEngine.before(
                        List.of(server.url()),
                        options -> options.slack(slack(
                                Optional.of(URI.create("http://127.0.0.1:" + prometheus.port() + url)),
                                new Query("up"))))) {
            await().until(() -> !paths.isEmpty());
            assertThat(paths).containsOnly(asked);
        }
    }

    @Test
    void shouldKeepWhatItHasAcceptedUntilThereIsSlack() throws Exception {
        AtomicReference<String> metrics = new AtomicReference<>("vllm:num_requests_waiting 0");
        AtomicReference<CompletableFuture<Void>> hold = new AtomicReference<>(new CompletableFuture<>());
        try (SocketServer server = SocketServer.start((request, reply) -> {
                    if (request.method().equals("GET")) {
                        reply.whole(200, "text/plain", metrics.get());
                    } else {
                        hold.get().join();
                        reply.answer("ok");
                    }
                });
                TestEngine engine = TestEngine.before(
                        List.of(server.url()),
                        options ->
                                options.slack(slack(Optional.empty(), WAITING)).maxNumSeqs(1))) {
            await().until(() -> engine.engine().stats().healthy());
            CompletableFuture<Completion> first = engine.chat("first");
            CompletableFuture<Completion> second = engine.chat("second");
            metrics.set("vllm:num_requests_waiting 9");
            await().until(() -> !engine.engine().stats().healthy());
            hold.get().complete(null);
            assertThat(text(first)).isEqualTo("ok");
            await().during(Duration.ofMillis(100))
                    .until(() -> engine.engine().stats().waiting() == 1);

            metrics.set("vllm:num_requests_waiting 1");
            assertThat(text(second)).isEqualTo("ok");
        }
    }

    @Test
    void shouldGiveUpAReadingThatHangsAndReadAgain() throws Exception {
        AtomicInteger readings = new AtomicInteger();
        CountDownLatch hungUp = new CountDownLatch(2);
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    switch (readings.incrementAndGet()) {
                        case 1 -> reply.awaitHangUp(hungUp);
                        case 2 -> {
                            reply.raw("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nvllm");
                            reply.awaitHangUp(hungUp);
                        }
                        default -> reply.whole(200, "text/plain", "vllm:num_requests_waiting 4");
                    }
                });
                TestEngine engine = TestEngine.before(
                        List.of(server.url()), options -> options.slack(slack(Optional.empty(), WAITING)))) {
            await().until(() -> engine.engine().describe().contains("no whole response within PT0.5S"));
            await().until(() -> engine.engine().describe().contains("slack 0.50"));
            assertThat(hungUp.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void shouldNotReadMetricsWithoutEnd() throws Exception {
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    reply.raw("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n");
                    String line = "x".repeat(1 << 20);
                    while (true) {
                        reply.chunk(line);
                    }
                });
                TestEngine engine = TestEngine.before(
                        List.of(server.url()),
                        options -> options.slack(new Slack(
                                Optional.empty(), WAITING, Duration.ofMillis(20), Duration.ofSeconds(30), CURVE)))) {
            await().until(() -> engine.engine().describe().contains("response=more than 8388608 bytes"));
        }
    }

    @Test
    void shouldShowItsKeyToItsOwnServerAndToNoOther(@TempDir Path dir) throws Exception {
        Path key = Files.writeString(dir.resolve("key"), "sk-1");
        Map<String, Secret> secrets =
                Map.of("Authorization", Secret.at("key", "file:" + key).prefixed("Bearer "));
        Connection connection = headers(Map.of("X-Team", "search"), secrets);
        URI elsewhere = URI.create("http://127.0.0.1:9/v1");

        assertThat(headersSeen(connection, Optional.empty(), ""))
                .allSatisfy(headers -> assertThat(headers)
                        .containsEntry("Authorization", "Bearer sk-1")
                        .containsEntry("X-Team", "search"));
        assertThat(headersSeen(connection, Optional.empty(), "/of/team/metrics"))
                .allSatisfy(headers -> assertThat(headers)
                        .containsEntry("Authorization", "Bearer sk-1")
                        .containsEntry("X-Team", "search"));
        assertThat(headersSeen(connection, Optional.of(elsewhere), "/of/team/metrics"))
                .allSatisfy(headers -> assertThat(headers).doesNotContainKeys("Authorization", "X-Team"));
    }

    /**
     * By a server of its own: what one engine had sent may arrive after its end.
     *
     * @param endpoint empty: that server
     * @param path of {@code slack.url}; empty: none is given
     */
    private static Queue<Map<String, String>> headersSeen(Connection connection, Optional<URI> endpoint, String path)
            throws Exception {
        Queue<Map<String, String>> seen = new ConcurrentLinkedQueue<>();
        try (SocketServer server = SocketServer.start((request, reply) -> {
            seen.add(request.headers());
            reply.whole(200, "text/plain", "vllm:num_requests_waiting 4");
        })) {
            Optional<URI> url =
                    path.isEmpty() ? Optional.empty() : Optional.of(server.url().resolve(path));
            try (TestEngine engine = TestEngine.before(
                    List.of(endpoint.orElse(server.url())),
                    options -> options.connection(connection).slack(slack(url, WAITING)))) {
                await().until(() -> engine.engine().describe().contains("slack 0.50"));
            }
        }
        assertThat(seen).isNotEmpty();
        return seen;
    }

    @Test
    void shouldReadOnWhenItsKeyIsBack(@TempDir Path dir) throws Exception {
        Path key = Files.writeString(dir.resolve("key"), "sk-1");
        Secret secret = Secret.at("key", "file:" + key);
        Connection connection = headers(Map.of(), Map.of("X-Key", secret));
        Files.delete(key);
        AtomicReference<String> metrics = new AtomicReference<>("vllm:num_requests_waiting 4");
        try (SocketServer server = server(metrics, new ConcurrentLinkedQueue<>());
                TestEngine engine = TestEngine.before(
                        List.of(server.url()),
                        options -> options.connection(connection).slack(slack(Optional.empty(), WAITING)))) {
            await().until(() -> engine.engine().describe().contains("expected=a readable file"));
            Files.writeString(key, "sk-2");
            await().until(() -> engine.engine().describe().contains("slack 0.50"));
        }
    }

    @Test
    void shouldNotReadWhatComesWithAnotherStatus() throws Exception {
        try (SocketServer server = SocketServer.start(
                        (_, reply) -> reply.whole(404, "text/plain", "vllm:num_requests_waiting 0"));
                TestEngine engine = TestEngine.before(
                        List.of(server.url()), options -> options.slack(slack(Optional.empty(), WAITING)))) {
            await().until(() -> engine.engine().describe().contains("status=404, expected=200"));
            assertThat(engine.engine().stats().healthy()).isFalse();
        }
    }
}
