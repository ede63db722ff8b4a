package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.RemoteOptions.Connection;
import io.millrace.remote.protocol.OpenAiProtocol;
import io.millrace.remote.protocol.ServerCall;
import io.millrace.remote.protocol.ServerCall.Delivery;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What one attempt notes of what comes. */
class ExchangeTest {

    private final FakeClock clock = new FakeClock();

    private ServerCall call() {
        InferenceRequest request = new InferenceRequest(
                "r",
                Operation.CHAT,
                new Input.Text("hello"),
                SamplingParameters.DEFAULT,
                Optional.empty(),
                0,
                0,
                "",
                Optional.empty(),
                clock.nanoTime());
        return new OpenAiProtocol("m", Map.of()).call(request);
    }

    private Attempt attempt(SocketServer server, ServerCall call) {
        RemoteOptions options = RemoteOptions.builder("m")
                .endpoints(List.of(RemoteOptions.Server.of("a", server.url())))
                .build();
        BackOff backOff = new BackOff(Duration.ofMillis(1), Duration.ofMillis(1), new Random(1));
        return new Endpoint(options.endpoints().getFirst(), options, backOff, SlackGate.OPEN, clock).begin(call, 1);
    }

    private void ask(Attempt attempt, ServerCall call) throws Exception {
        try (Connections connections = new Connections(() -> RemoteEngine.client(Connection.DEFAULT))) {
            new Exchange(connections, Connection.DEFAULT, clock)
                    .ask(call, attempt, call.reader().get(), _ -> {});
        }
    }

    @Test
    void shouldHearEachPieceThatComes() throws Exception {
        CompletableFuture<Attempt> asked = new CompletableFuture<>();
        try (SocketServer server = SocketServer.start((_, reply) -> {
            clock.advance(Duration.ofSeconds(1));
            reply.events();
            await().until(() -> asked.join().heardNanos() == clock.nanoTime());
            clock.advance(Duration.ofSeconds(1));
            reply.said("a");
            await().until(() -> asked.join().heardNanos() == clock.nanoTime());
            reply.finished("stop").end();
        })) {
            ServerCall call = call();
            Attempt attempt = attempt(server, call);
            asked.complete(attempt);
            ask(attempt, call);

            assertThat(attempt.heardNanos() - attempt.sentNanos())
                    .isEqualTo(Duration.ofSeconds(2).toNanos());
        }
    }

    @Test
    void shouldReadAsManyBytesAsAreAllowedAndNotOneMore() throws Exception {
        try (SocketServer server = SocketServer.start((_, _) -> {})) {
            Attempt attempt = attempt(server, call());
            byte[] bytes = new byte[100];
            assertThat(new ResponseBody(new ByteArrayInputStream(bytes), 100, attempt, clock::nanoTime).readAllBytes())
                    .hasSize(100);
            ResponseBody larger = new ResponseBody(new ByteArrayInputStream(bytes), 99, attempt, clock::nanoTime);
            assertThatThrownBy(larger::readAllBytes)
                    .hasMessage("response=more than 99 bytes, expected=at most remote.max_response_bytes");
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNoteWhetherAnAnswerCameInOnePiece(Delivery delivery) throws Exception {
        try (SocketServer server = SocketServer.start((_, reply) -> {
            switch (delivery) {
                case STREAMED -> reply.answer("ok");
                case WHOLE ->
                    reply.json(200, "{\"choices\":[{\"message\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}");
            }
        })) {
            ServerCall call = call();
            Attempt attempt = attempt(server, call);
            ask(attempt, call);

            assertThat(attempt.asked()).isEqualTo(Delivery.STREAMED);
            assertThat(attempt.delivery()).isEqualTo(delivery);
        }
    }
}
