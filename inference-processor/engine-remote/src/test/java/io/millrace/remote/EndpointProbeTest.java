package io.millrace.remote;

import static io.millrace.remote.TestEngine.headers;
import static io.millrace.remote.TestEngine.timeouts;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.remote.EndpointProbe.Health;
import io.millrace.remote.EndpointProbe.Report;
import io.millrace.remote.RemoteOptions.Connection;
import io.millrace.remote.RemoteOptions.OpenAi;
import io.millrace.remote.RemoteOptions.OpenInference;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.protocol.OpenInferenceProtocol.Method;
import io.millrace.remote.protocol.OpenInferenceProtocol.Tensors;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What servers say of themselves. */
class EndpointProbeTest {

    private static final RemoteOptions.Dialect TRITON = new OpenInference(Method.GENERATE, Tensors.DEFAULT);

    private static Report probe(RemoteOptions.Dialect dialect, String model, URI url, Connection connection)
            throws InterruptedException {
        RemoteOptions options = RemoteOptions.builder(model)
                .dialect(dialect)
                .endpoints(List.of(Server.of("a", url)))
                .connection(connection)
                .build();
        return EndpointProbe.probe(options).getFirst();
    }

    private static URI root(SocketServer server) {
        return URI.create("http://127.0.0.1:" + server.port());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 | {'data':[{'id':'other'},{'id':'my model','max_model_len':4096}]} | FINE | has model my model | 4096",
                "200 | {'data':[{'id':'my model','max_model_len':'4096'}]} | FINE | has model my model | 0",
                "200 | {'data':[{'id':'a'},{'id':'b'}]} | DOUBTFUL | model=my model, expected=a, b | 0",
                "200 | {'object':'list'} | DOUBTFUL | model=my model, expected=models that it does not name | 0",
                "200 | <html> | DOUBTFUL | body=<html>, expected=JSON | 0",
                "400 | {'error':'no such tenant'} | AWAY | status=400: no such tenant | 0",
                "503 | {'error':{'message':'Loading model'}} | AWAY | status=503: Loading model | 0",
            })
    void shouldFindAModelInTheListOfAServer(int status, String body, Health health, String message, int maxModelLen)
            throws Exception {
        AtomicReference<String> path = new AtomicReference<>();
        try (SocketServer server = SocketServer.start((request, reply) -> {
            path.set(request.path());
            reply.json(status, body.replace('\'', '"'));
        })) {
            Report report = probe(new OpenAi(), "my model", server.url(), Connection.DEFAULT);

            assertThat(path).hasValue("/v1/models");
            assertThat(report.endpoint()).isEqualTo("a");
            assertThat(report.url()).isEqualTo(server.url().toString());
            assertThat(report.health()).isEqualTo(health);
            assertThat(report.message()).isEqualTo(message);
            assertThat(report.maxModelLen().orElse(0)).isEqualTo(maxModelLen);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 | UNLISTED | has /chat/completions and does not list its models: /models has status=404",
                "405 | UNLISTED | has /chat/completions and does not list its models: /models has status=404",
                "404 | AWAY | status=404: Requested resource is not found, expected=the server's path and model: see remote url and model",
            })
    void shouldTellAServerWithoutAListFromAWrongUrl(int statusOfChat, Health health, String message) throws Exception {
        try (SocketServer server = SocketServer.start((request, reply) -> {
            switch (request.method() + " " + request.path()) {
                case "GET /v1/models" ->
                    reply.json(
                            404,
                            "{\"code\":404,\"type\":\"ResourceNotFoundException\",\"message\":\"Requested resource is not found\"}");
                case "OPTIONS /v1/chat/completions" -> reply.json(statusOfChat, "{}");
                default -> throw new AssertionError(request.toString());
            }
        })) {
            Report report = probe(new OpenAi(), "m", server.url(), Connection.DEFAULT);

            assertThat(report.health()).isEqualTo(health);
            assertThat(report.message()).isEqualTo(message);
        }
    }

    @Test
    void shouldNameOnlySomeOfManyModels() throws Exception {
        StringBuilder models = new StringBuilder("{\"data\":[{\"id\":\"first\"}");
        for (int i = 0; i < 1000; i++) {
            models.append(",{\"id\":\"model-").append(i).append("\"}");
        }
        try (SocketServer server = SocketServer.start((_, reply) -> reply.json(200, models + "]}"))) {
            String message =
                    probe(new OpenAi(), "m", server.url(), Connection.DEFAULT).message();

            assertThat(message).startsWith("model=m, expected=first, model-0, ").endsWith("… (1001 models)");
            assertThat(message.length()).isLessThan(500);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 | '' | FINE | model my model/1+1 is ready",
                "200 | {'name':'m','ready':true} | FINE | model my model/1+1 is ready",
                "200 | {'name':'m','ready':false} | AWAY | model my model/1+1 is not ready",
                "400 | '' | AWAY | status=400: no message",
                "400 | {'error':'unknown model'} | AWAY | status=400: unknown model",
                "404 | {'error':'unknown model'} | AWAY | status=404: unknown model, expected=the server's path and model: see remote url and model",
                "503 | {'detail':'loading'} | AWAY | status=503: loading",
            })
    void shouldAskTritonWhetherAModelIsReady(int status, String body, Health health, String message) throws Exception {
        AtomicReference<SocketServer.Request> seen = new AtomicReference<>();
        try (SocketServer server = SocketServer.start((request, reply) -> {
            seen.set(request);
            reply.json(status, body.replace('\'', '"').replace("server\"s", "server's"));
        })) {
            Report report = probe(TRITON, "my model/1+1", root(server), Connection.DEFAULT);

            assertThat(seen.get().method()).isEqualTo("GET");
            assertThat(seen.get().path()).isEqualTo("/v2/models/my%20model%2F1%2B1/ready");
            assertThat(report.health()).isEqualTo(health);
            assertThat(report.message()).isEqualTo(message);
            assertThat(report.maxModelLen()).isEmpty();
        }
    }

    @Test
    void shouldSendHeadersAndSecretsAndShowNoSecret(@TempDir Path dir) throws Exception {
        Path key = Files.writeString(dir.resolve("key"), "sk-12345\n");
        Connection connection = headers(
                Map.of("X-Team", "search"),
                Map.of("Authorization", Secret.at("key", "file:" + key).prefixed("Bearer ")));
        AtomicReference<SocketServer.Request> seen = new AtomicReference<>();
        try (SocketServer server = SocketServer.start((request, reply) -> {
            seen.set(request);
            reply.json(401, "{\"error\":{\"message\":\"wrong key sk-12345\"}}");
        })) {
            Report report = probe(TRITON, "m", root(server), connection);

            assertThat(seen.get().headers())
                    .containsEntry("X-Team", "search")
                    .containsEntry("Authorization", "Bearer sk-12345");
            assertThat(report.message()).startsWith("status=401: wrong key ***, expected=");
        }
    }

    @Test
    void shouldGiveUpAServerThatSaysNothingAfterItsHeaders() throws Exception {
        CountDownLatch hungUp = new CountDownLatch(1);
        try (SocketServer server = SocketServer.start((_, reply) -> {
            reply.raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
            reply.awaitHangUp(hungUp);
        })) {
            Report report =
                    probe(new OpenAi(), "m", server.url(), timeouts(Duration.ofMillis(300), Duration.ofMinutes(5)));

            assertThat(report.health()).isEqualTo(Health.AWAY);
            assertThat(report.message()).isEqualTo("no answer: no whole response within PT0.3S");
            assertThat(hungUp.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void shouldGiveUpAResponseWithoutEnd() throws Exception {
        try (SocketServer server = SocketServer.start((_, reply) -> {
            reply.raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
            String spaces = " ".repeat(1 << 20);
            while (true) {
                reply.chunk(spaces);
            }
        })) {
            Report report = probe(new OpenAi(), "m", server.url(), Connection.DEFAULT);

            assertThat(report.health()).isEqualTo(Health.AWAY);
            assertThat(report.message()).isEqualTo("no answer: response=more than 8388608 bytes");
        }
    }

    @Test
    void shouldSayWhenNobodyIsThere() throws IOException, InterruptedException {
        URI nobody;
        try (SocketServer gone = SocketServer.start((_, _) -> {})) {
            nobody = gone.url();
        }
        Report report = probe(new OpenAi(), "m", nobody, Connection.DEFAULT);

        assertThat(report.health()).isEqualTo(Health.AWAY);
        assertThat(report.message()).startsWith("no answer: ");
    }

    private static Report gated(URI url, Optional<URI> metrics, RemoteOptions.Signal signal)
            throws InterruptedException {
        SlackCurve curve = new SlackCurve(List.of(new SlackCurve.Point(0, 1), new SlackCurve.Point(8, 0)));
        RemoteOptions options = RemoteOptions.builder("m")
                .endpoints(List.of(Server.of("a", url)))
                .slack(new RemoteOptions.Slack(metrics, signal, Duration.ofMillis(500), Duration.ofMillis(500), curve))
                .build();
        return EndpointProbe.probe(options).getFirst();
    }

    @Test
    void shouldReadWhatASlackGateGoesBy() throws Exception {
        try (SocketServer server = SocketServer.start((request, reply) -> {
            if (request.path().equals("/metrics")) {
                reply.whole(200, "text/plain", "waiting 2");
            } else {
                reply.json(200, "{\"data\":[{\"id\":\"m\"}]}");
            }
        })) {
            Report open = gated(server.url(), Optional.empty(), new RemoteOptions.Metric("waiting"));
            assertThat(open.signal())
                    .contains(new EndpointProbe.Signal(true, "waiting=2.0 leaves 0.75 of the budgets"));
            assertThat(open.isUsable()).isTrue();

            Report closed = gated(server.url(), Optional.empty(), new RemoteOptions.Metric("running"));
            assertThat(closed.signal())
                    .contains(new EndpointProbe.Signal(
                            false,
                            "running could not be read at " + root(server)
                                    + "/metrics: metric=running, expected=among those served"));
            assertThat(closed.health()).isEqualTo(Health.FINE);
            assertThat(closed.isUsable()).isFalse();

            // no JSON, to a query
            Report queried = gated(
                    server.url(), Optional.of(server.url().resolve("/prometheus")), new RemoteOptions.Query("up"));
            assertThat(queried.signal().orElseThrow().message())
                    .isEqualTo("up could not be read at " + root(server)
                            + "/prometheus: query answered  with 0 results, expected=at least one");
        }
    }

    @Test
    void shouldReadTheSignalOfAServerThatIsAwayOnlyElsewhere() throws Exception {
        URI nobody;
        try (SocketServer gone = SocketServer.start((_, _) -> {})) {
            nobody = gone.url();
        }
        try (SocketServer elsewhere = SocketServer.start((_, reply) -> reply.whole(200, "text/plain", "waiting 8"))) {
            RemoteOptions.Metric waiting = new RemoteOptions.Metric("waiting");
            assertThat(gated(nobody, Optional.empty(), waiting).signal()).isEmpty();
            Report report = gated(nobody, Optional.of(root(elsewhere)), waiting);

            assertThat(report.signal())
                    .contains(new EndpointProbe.Signal(true, "waiting=8.0 leaves 0.00 of the budgets"));
            assertThat(report.isUsable()).isFalse();
        }
    }
}
