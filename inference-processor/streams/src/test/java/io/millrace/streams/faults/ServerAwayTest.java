package io.millrace.streams.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.remote.RemoteEngine;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.app.ProcessorStatus;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.testing.ChatServer;
import io.millrace.streams.testing.RemoteEngines;
import io.millrace.streams.testing.TestApp;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A model server that is away costs time: its prompts are pending, the gate is closed, and nothing becomes a failure. */
@WithKafka
class ServerAwayTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(90);
    private static final int WAVE = 10;

    private int sent;

    @Test
    void shouldKeepPromptsPendingWhileTheServerIsAwayAndAnswerThemThen(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "away", 2).withEngineStallTimeout(Duration.ofSeconds(1));
        AtomicBoolean held = new AtomicBoolean(true);
        try (ChatServer server = ChatServer.start().holding(who -> held.get());
                RemoteEngine engine = RemoteEngines.open(server.url("m"));
                ProcessorApp app = test.start(engine)) {
            send(test);
            await().atMost(TIMEOUT).until(() -> server.begun() >= 1);

            server.goAway();
            await("a gate that is closed for the engine, once it is asked again")
                    .atMost(TIMEOUT)
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> {
                        send(test);
                        return isClosed(app);
                    });
            // longer than a stalled engine is given
            await().during(Duration.ofSeconds(2))
                    .atMost(TIMEOUT)
                    .until(() -> !app.stopped().isDone());
            assertThat(test.endings()).isZero();
            assertThat(app.status().state()).isEqualTo(ProcessorStatus.State.RUNNING);

            held.set(false);
            server.comeBack();
            await().atMost(TIMEOUT)
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> test.committed(test.outputs().results()) == sent);
            await("a gate that is open").atMost(TIMEOUT).until(() -> !isClosed(app));
            assertThat(app.close(TIMEOUT)).isTrue();
        }
        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.failures()).isEmpty();
        assertThat(verdict.results()).hasSize(sent);
    }

    private static boolean isClosed(ProcessorApp app) {
        return app.status().closures().stream().anyMatch(closure -> closure.reason() == Closure.Reason.ENGINE);
    }

    private void send(TestApp test) {
        test.send(IntStream.range(sent, sent + WAVE)
                .mapToObj(i -> "prompt number " + i)
                .toList());
        sent += WAVE;
    }
}
