package io.millrace.remote;

import static io.millrace.remote.TestEngine.completed;
import static io.millrace.remote.TestEngine.failed;
import static io.millrace.remote.TestEngine.text;
import static io.millrace.remote.TestEngine.timeouts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Operation;
import io.millrace.engine.SamplingParameters;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Faults for which a server must be told each byte, and what a server sees of a client that gives up. */
class RemoteConnectionsTest {

    private static final Duration LONG = Duration.ofMinutes(5);
    private static final Duration SHORT = Duration.ofMillis(300);

    /** How far a response got when it broke off. */
    enum BrokenOff {
        NOTHING,
        HALF_HEAD,
        HALF_CHUNK,
        HALF_EVENT,
        AFTER_TEXT
    }

    private static void breakOff(SocketServer.Reply reply, BrokenOff where) throws IOException {
        switch (where) {
            case NOTHING -> {}
            case HALF_HEAD -> reply.raw("HTTP/1.1 200 OK\r\nContent-Ty");
            case HALF_CHUNK -> reply.events().said("half").raw("ff\r\ndata: {");
            case HALF_EVENT -> reply.events().said("half").chunk("data: {\"choices\":");
            case AFTER_TEXT -> reply.events().said("half");
        }
        reply.hangUp();
    }

    @ParameterizedTest
    @EnumSource
    void shouldTryAgainAfterHalfAResponse(BrokenOff where) throws Exception {
        AtomicInteger requests = new AtomicInteger();
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    if (requests.incrementAndGet() < 3) {
                        breakOff(reply, where);
                    } else {
                        reply.answer("whole");
                    }
                });
                TestEngine engine = TestEngine.before(server.url())) {
            assertThat(text(engine.chat("hello"))).isEqualTo("whole");
            assertThat(requests).hasValue(3);
        }
    }

    @Test
    void shouldNotCountConnectionsThatHaveGoneStaleAsAttempts() throws Exception {
        // Given: as many connections as requests, of which the server gives up each when it is used again
        int most = 8;
        CountDownLatch together = new CountDownLatch(most);
        Set<Thread> stale = ConcurrentHashMap.newKeySet();
        AtomicInteger hungUp = new AtomicInteger();
        try (SocketServer server = SocketServer.start((request, reply) -> {
                    if (request.body().contains("first")) {
                        stale.add(Thread.currentThread());
                        together.countDown();
                        together.await();
                    } else if (stale.contains(Thread.currentThread())) {
                        hungUp.incrementAndGet();
                        reply.hangUp();
                        return;
                    }
                    reply.answer("whole");
                });
                TestEngine engine =
                        TestEngine.before(List.of(server.url()), options -> options.retries(TestEngine.retries(1)))) {
            List<CompletableFuture<Completion>> first =
                    Stream.generate(() -> engine.chat("first")).limit(most).toList();
            first.forEach(each -> assertThat(text(each)).isEqualTo("whole"));

            // When
            List<CompletableFuture<Completion>> second =
                    Stream.generate(() -> engine.chat("second")).limit(most).toList();

            // Then
            second.forEach(each -> assertThat(text(each)).isEqualTo("whole"));
            assertThat(hungUp).hasPositiveValue();
        }
    }

    @Test
    void shouldFailAfterHalfAResponseEachTimeAndKeepWhatCame() throws Exception {
        try (SocketServer server = SocketServer.start((_, reply) -> breakOff(reply, BrokenOff.AFTER_TEXT));
                TestEngine engine = TestEngine.before(server.url())) {
            Failed failed = failed(engine.chat("hello"));

            assertThat(failed.code()).isEqualTo(FailureCode.ENGINE_ERROR);
            assertThat(failed.message())
                    .startsWith("attempts=3, the last on endpoint a: the connection ended before the answer did");
            assertThat(failed.partialText()).contains("half");
        }
    }

    @Test
    void shouldNotMissWhatComesAfterTheEnd() throws Exception {
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    reply.events().said("whole").finished("length");
                    reply.hangUp();
                });
                // the JDK's client loses what it has not handed over yet when a connection ends: another attempt has
                // more luck
                TestEngine engine =
                        TestEngine.before(List.of(server.url()), options -> options.retries(TestEngine.retries(50)))) {
            assertThat(completed(engine.chat("hello")).finishReason()).isEqualTo(Completion.FinishReason.LENGTH);
        }
    }

    @Test
    void shouldNotReadWhatComesAfterDone() throws Exception {
        try (SocketServer server = SocketServer.start((_, reply) -> reply.events()
                        .said("whole")
                        .finished("stop")
                        .event("[DONE]")
                        .event("what is this?")
                        .end());
                TestEngine engine = TestEngine.before(server.url())) {
            assertThat(text(engine.chat("hello"))).isEqualTo("whole");
        }
    }

    @Test
    void shouldCloseItsIdleConnectionsWhenItIsClosed() throws Exception {
        CountDownLatch hungUp = new CountDownLatch(1);
        try (SocketServer server = SocketServer.start((_, reply) -> {
            reply.answer("ok");
            reply.awaitHangUp(hungUp);
        })) {
            try (TestEngine engine = TestEngine.before(server.url())) {
                assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            }
            assertThat(hungUp.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void shouldReadWhatDribblesInByteByByte() throws Exception {
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    reply.events();
                    String event =
                            "data: {\"choices\":[{\"delta\":{\"content\":\"für\"},\"finish_reason\":\"stop\"}]}\r\n\r\n";
                    for (int i = 0; i < event.length(); i++) {
                        reply.chunk(event.substring(i, i + 1));
                    }
                    reply.end();
                });
                TestEngine engine = TestEngine.before(server.url())) {
            assertThat(text(engine.chat("hello"))).isEqualTo("für");
        }
    }

    @Test
    void shouldUseAConnectionAgain() throws Exception {
        Queue<Object> connections = new ConcurrentLinkedQueue<>();
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    connections.add(reply.connection());
                    reply.answer("ok");
                });
                TestEngine engine = TestEngine.before(server.url())) {
            for (int i = 0; i < 5; i++) {
                assertThat(text(engine.chat("hello"))).isEqualTo("ok");
            }
            assertThat(connections.stream().distinct()).hasSize(1);
        }
    }

    @Test
    void shouldRefuseAResponseThatIsTooLarge() throws Exception {
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    reply.events();
                    while (true) {
                        reply.said("x".repeat(100));
                    }
                });
                TestEngine engine = TestEngine.before(List.of(server.url()), RemoteConnectionsTest::upTo4096Bytes)) {
            assertThat(failed(engine.chat("hello")).message())
                    .endsWith("response=more than 4096 bytes, expected=at most remote.max_response_bytes");
        }
    }

    @Test
    void shouldRefuseALineWithoutEnd() throws Exception {
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    reply.events();
                    while (true) {
                        reply.chunk("x".repeat(100));
                    }
                });
                TestEngine engine = TestEngine.before(List.of(server.url()), RemoteConnectionsTest::upTo4096Bytes)) {
            assertThat(failed(engine.chat("hello")).message()).contains("response=more than 4096 bytes");
        }
    }

    private static RemoteOptions.Builder upTo4096Bytes(RemoteOptions.Builder options) {
        RemoteOptions.Connection d = RemoteOptions.Connection.DEFAULT;
        return options.connection(new RemoteOptions.Connection(
                d.headers(),
                d.secretHeaders(),
                d.tls(),
                d.proxy(),
                d.version(),
                d.connectTimeout(),
                d.readTimeout(),
                d.totalTimeout(),
                4096));
    }

    @Test
    void shouldEndAStreamFromWhichNothingMoreComes() throws Exception {
        CountDownLatch hungUp = new CountDownLatch(3);
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    reply.events().said("half");
                    reply.awaitHangUp(hungUp);
                });
                TestEngine engine = TestEngine.before(
                        List.of(server.url()), options -> options.connection(timeouts(SHORT, LONG)))) {
            Failed failed = failed(engine.chat("hello"));

            assertThat(failed.code()).isEqualTo(FailureCode.ENGINE_ERROR);
            assertThat(failed.message())
                    .isEqualTo("attempts=3, the last on endpoint a: no byte for read_timeout=PT0.3S");
            assertThat(hungUp.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void shouldTakeAServerThatAnswersNobodyForAway() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        CountDownLatch hungUp = new CountDownLatch(4);
        try (SocketServer server = SocketServer.start((_, reply) -> {
                    if (requests.incrementAndGet() <= 4) {
                        reply.awaitHangUp(hungUp);
                    } else {
                        reply.answer("back");
                    }
                });
                TestEngine engine = TestEngine.before(
                        List.of(server.url()), options -> options.connection(timeouts(SHORT, LONG)))) {
            assertThat(text(engine.chat("hello")))
                    .as("after more than max_attempts")
                    .isEqualTo("back");
        }
    }

    @Test
    void shouldEndAnAnswerThatTakesTooLong() throws Exception {
        CountDownLatch hungUp = new CountDownLatch(1);
        try (SocketServer server = SocketServer.start((_, reply) -> dribble(reply, hungUp));
                TestEngine engine = TestEngine.before(
                        List.of(server.url()),
                        options -> options.connection(timeouts(LONG, SHORT)).retries(TestEngine.retries(1)))) {
            assertThat(failed(engine.chat("hello")).message())
                    .endsWith("no end of the answer after total_timeout=PT0.3S");
            assertThat(hungUp.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    /** Words without end, until the client has gone. */
    private static void dribble(SocketServer.Reply reply, CountDownLatch hungUp) throws Exception {
        reply.events();
        Thread writer = Thread.currentThread();
        Thread.ofVirtual().start(() -> {
            try {
                reply.awaitHangUp(hungUp);
            } catch (IOException e) {
                // it has
            }
            writer.interrupt();
        });
        while (!Thread.interrupted()) {
            reply.said("la");
            if (!hungUp.await(10, TimeUnit.MILLISECONDS)) {
                continue;
            }
            return;
        }
    }

    @Test
    void shouldStopTheServersWorkWhenARequestIsCancelled() throws Exception {
        CountDownLatch hungUp = new CountDownLatch(1);
        try (SocketServer server = SocketServer.start((_, reply) -> dribble(reply, hungUp));
                TestEngine engine = TestEngine.before(server.url())) {
            InferenceRequest request =
                    engine.request(Operation.CHAT, "hello", SamplingParameters.DEFAULT, Optional.empty());
            CompletableFuture<Completion> future = engine.submit(request);
            await().until(() -> engine.engine().generatedTokens(request.id()) > 2);

            engine.engine().cancel(request.id());

            Failed failed = failed(future);
            assertThat(failed.code()).isEqualTo(FailureCode.CANCELLED);
            assertThat(failed.partialText().orElseThrow()).startsWith("lala");
            assertThat(failed.usage().orElseThrow().completionTokens()).isGreaterThan(2);
            assertThat(hungUp.await(10, TimeUnit.SECONDS)).isTrue();
            await().until(() -> engine.engine().stats().running() == 0);
        }
    }

    @Test
    void shouldStopTheServersWorkWhenADeadlinePasses() throws Exception {
        CountDownLatch hungUp = new CountDownLatch(1);
        try (SocketServer server = SocketServer.start((_, reply) -> dribble(reply, hungUp));
                TestEngine engine = TestEngine.before(server.url())) {
            Instant deadline = Instant.now().plusMillis(500);
            Failed failed = failed(engine.submit(
                    engine.request(Operation.CHAT, "hello", SamplingParameters.DEFAULT, Optional.of(deadline))));

            assertThat(failed.code()).isEqualTo(FailureCode.DEADLINE_EXCEEDED);
            assertThat(failed.message()).isEqualTo("deadline=" + deadline + ", passed while running");
            assertThat(failed.partialText().orElseThrow()).startsWith("la");
            assertThat(hungUp.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void shouldCloseItsConnectionsWhenItIsClosed() throws Exception {
        CountDownLatch hungUp = new CountDownLatch(1);
        try (SocketServer server = SocketServer.start((_, reply) -> {
            reply.events();
            reply.awaitHangUp(hungUp);
        })) {
            CompletableFuture<Completion> future;
            try (TestEngine engine = TestEngine.before(server.url())) {
                future = engine.chat("hello");
                await().until(() -> engine.engine().stats().running() == 1);
            }
            assertThat(hungUp.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(future).isNotDone();
        }
    }

    @Test
    void shouldTakeAnAnswerInOnePieceFromAServerThatDoesNotStream() throws Exception {
        try (SocketServer server = SocketServer.start(
                        (_, reply) -> reply.json(
                                200,
                                "{\"model\":\"x\",\"choices\":[{\"message\":{\"content\":\"whole\"},\"finish_reason\":\"stop\"}]}"));
                TestEngine engine = TestEngine.before(server.url())) {
            assertThat(text(engine.chat("hello"))).isEqualTo("whole");
        }
    }

    @Test
    void shouldWaitForAServerThatSaysNothingWithoutBeingTakenForStalled() throws Exception {
        CountDownLatch hungUp = new CountDownLatch(1);
        try (SocketServer server = SocketServer.start((_, reply) -> reply.awaitHangUp(hungUp));
                TestEngine engine = TestEngine.before(server.url())) {
            CompletableFuture<Completion> future = engine.chat("hello");
            await().until(() -> engine.engine().awaitsServer());
            assertThat(engine.engine().stats().running()).isEqualTo(1);
            assertThat(engine.engine().stats().healthy()).isTrue();
            assertThat(future).isNotDone();
        }
    }
}
