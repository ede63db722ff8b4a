package io.millrace.streams.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.ProxiedKafka;
import io.millrace.devstack.TcpProxy.Direction;
import io.millrace.devstack.TcpProxy.Loss;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.engine.InferenceRequest;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.app.ProcessorHooks;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The network between the application and its broker fails at the end of a transaction; the test's own does not. */
@MatrixRow("coordinator timeout, lost acknowledgement")
class LostAcknowledgementTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int SLOW = 5;
    private static final int QUICK = 10;

    private static ProxiedKafka proxied;

    private final AtomicInteger submittedAgain = new AtomicInteger();
    private final AtomicInteger adopted = new AtomicInteger();
    private final ProcessorObserver observer = new ProcessorObserver() {
        @Override
        public void recovered(int prompts) {
            submittedAgain.addAndGet(prompts);
        }

        @Override
        public void adopted(String model, int generatedTokens) {
            adopted.incrementAndGet();
        }
    };

    @BeforeAll
    static void start() {
        proxied = ProxiedKafka.start();
    }

    @AfterAll
    static void stop() {
        proxied.close();
    }

    /**
     * The broker has committed and its answer is lost. Where the connection is cut, the producer asks again and learns so; where it
     * stays silent, the commit times out, the tasks are restored from what was committed, and adopt what runs.
     */
    @ParameterizedTest
    @EnumSource(Loss.class)
    void shouldAnswerOnceThoughTheEndOfATransactionIsNotAcknowledged(Loss loss) throws Exception {
        // the commit is given up before the silent connection is, which the old producer's closing waits for
        TestApp test = application("lost-" + loss)
                .with("producer.max.block.ms", "3000")
                .with("producer.request.timeout.ms", "6000");
        try (TestEngine engine = TestEngine.immediate().holding(text -> text.startsWith("slow"));
                ProcessorApp app = test.start(engine, ProcessorHooks.of(observer))) {
            test.send(texts("slow", SLOW));
            await().atMost(TIMEOUT).until(() -> engine.running() == SLOW && isCommitted(test, SLOW));

            CompletableFuture<Void> lost = proxied.proxy().loseNextEndTxnResponse(loss);
            test.send(texts("quick", QUICK));
            assertThat(lost).succeedsWithin(TIMEOUT);
            await().atMost(TIMEOUT).until(() -> test.endings() == QUICK);
            if (loss == Loss.SILENCE) {
                await("revived").atMost(TIMEOUT).until(() -> adopted.get() >= SLOW);
            }
            assertThat(engine.submitted().stream().filter(LostAcknowledgementTest::isSlow))
                    .as("none is begun again")
                    .hasSize(SLOW);

            engine.release();
            await().atMost(TIMEOUT).until(() -> test.endings() == SLOW + QUICK);
            assertThat(app.close(TIMEOUT)).isTrue();
        }
        assertAllAnswered(test, SLOW + QUICK);
    }

    /** Cut off between the results and their commit for longer than the coordinator waits: it aborts, and they are made again. */
    @Test
    void shouldAnswerOnceThoughTheCoordinatorGaveTheTransactionUp() throws Exception {
        TestApp test = application("given-up").with("producer.transaction.timeout.ms", "2000");
        AtomicBoolean armed = new AtomicBoolean();
        Runnable beforeCommit = () -> {
            if (armed.compareAndSet(true, false)) {
                proxied.proxy().stall(Direction.TO_BROKER);
            }
        };
        ProcessorHooks hooks = new ProcessorHooks(
                observer, (applicationId, gate, pacer) -> new WatchedCommits(applicationId, gate, pacer, beforeCommit));
        try (TestEngine engine = TestEngine.immediate().holding(text -> true);
                ProcessorApp app = test.start(engine, hooks)) {
            test.send(texts("prompt", QUICK));
            await().atMost(TIMEOUT).until(() -> engine.running() == QUICK && isCommitted(test, QUICK));

            armed.set(true);
            engine.release();
            String results = test.outputs().results();
            await("results are written").atMost(TIMEOUT).until(() -> end(test.kafka(), results) > 0);
            test.kafka().awaitNoOpenTransaction(results);
            assertThat(test.committed(results))
                    .as("the coordinator has aborted")
                    .isZero();

            proxied.proxy().heal();
            await().atMost(TIMEOUT).until(() -> test.endings() == QUICK);
            assertThat(submittedAgain.get() + adopted.get()).as("revived").isPositive();
            assertThat(app.close(TIMEOUT)).isTrue();
        } finally {
            proxied.proxy().heal();
        }
        assertAllAnswered(test, QUICK);
    }

    private static TestApp application(String name) {
        return TestApp.create(proxied.kafka(), name, 1)
                .with("bootstrap.servers", proxied.proxy().bootstrapServers());
    }

    private static boolean isSlow(InferenceRequest request) {
        return TestEngine.text(request).startsWith("slow");
    }

    private static boolean isCommitted(TestApp test, long prompts) {
        return test.consumed() == prompts;
    }

    private static long end(TestKafka kafka, String topic) {
        return kafka.endOffsets(topic).values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    private static void assertAllAnswered(TestApp test, int prompts) {
        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.failures()).isEmpty();
        assertThat(verdict.results()).hasSize(prompts);
    }

    private static List<String> texts(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + " " + i).toList();
    }
}
