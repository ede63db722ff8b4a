package io.millrace.streams.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.schemas.EngineInterval;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.junit.jupiter.api.Test;

@WithKafka
class ProcessorAppTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @Test
    void shouldEndEachPromptOnceUnderTrafficOnTwoThreads(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "traffic", 4).withStreamThreads(2);
        try (TestEngine engine = TestEngine.delayed(Duration.ofMillis(5));
                ProcessorApp app = test.start(engine)) {
            assertThat(app.awaitRunning(TIMEOUT)).isTrue();
            for (int batch = 0; batch < 10; batch++) {
                test.send(texts(200, i -> i % 20 == 0 ? "fail" : "prompt " + i));
            }
            awaitEndings(test, 2000);
            assertThat(app.close(TIMEOUT)).isTrue();
        }

        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.inputs()).hasSize(2000);
        assertThat(verdict.failures()).hasSize(100);
    }

    @Test
    void shouldCommitAndAnswerTheSiblingsOfAGenerationThatRunsOn(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "slow", 1);
        try (TestEngine engine = TestEngine.delayed(Duration.ofMillis(1)).holding("slow"::equals);
                ProcessorApp app = test.start(engine)) {
            List<String> texts = new ArrayList<>(List.of("slow"));
            texts.addAll(texts(50, i -> "quick " + i));
            test.send(texts);

            awaitEndings(test, 50);
            TopicPartition input = new TopicPartition(test.prompts(), 0);
            await().atMost(TIMEOUT)
                    .until(() -> kafka.committedOffsets(test.applicationId()).getOrDefault(input, 0L) == 51);
            assertThat(engine.running()).as("the slow one runs on").isEqualTo(1);
            assertThat(app.status().pending()).isEqualTo(1);

            engine.release();
            awaitEndings(test, 51);
            assertThat(app.close(TIMEOUT)).isTrue();
        }

        test.oracle().check().assertExactlyOnce();
    }

    @Test
    @MatrixRow("slow downstream")
    void shouldStopFetchingWhenEnoughIsPending(TestKafka kafka) throws Exception {
        int cap = 50;
        int polled = 20;
        int buffered = 20;
        int threads = 2;
        int partitions = 4;
        TestApp test = TestApp.create(kafka, "full", partitions)
                .withStreamThreads(threads)
                .with(new GateLimits(cap, cap, 1L << 28))
                .with("main.consumer.max.poll.records", Integer.toString(polled))
                .with("buffered.records.per.partition", Integer.toString(buffered));
        try (TestEngine engine = TestEngine.delayed(Duration.ofMillis(1)).holding(text -> true);
                ProcessorApp app = test.start(engine)) {
            test.send(texts(600, i -> "prompt " + i));
            await().atMost(TIMEOUT).until(() -> app.status().pending() >= cap);
            // the whole input is there to be taken: what comes within a second is what the gate lets through
            AtomicInteger most = new AtomicInteger();
            await().during(Duration.ofSeconds(1)).atMost(TIMEOUT).until(() -> {
                most.accumulateAndGet(app.status().pending(), Math::max);
                return true;
            });
            // what was fetched or buffered when the gate closed still comes
            assertThat(most.get()).isLessThanOrEqualTo(cap + threads * polled + partitions * buffered);
            assertThat(app.status().closures()).containsExactly(new Closure(Closure.Reason.FULL, ""));
            assertThat(app.status().isReady()).as("full is not unhealthy").isTrue();

            engine.release();
            awaitEndings(test, 600);
            assertThat(app.close(TIMEOUT)).isTrue();
        }

        test.oracle().check().assertExactlyOnce();
    }

    @Test
    @MatrixRow("engine silent for N s")
    void shouldStopWhenItsEngineAnswersNoMoreSoThatAnotherInstanceAnswersAll(TestKafka kafka) throws Exception {
        // the session outlives the test: who is left takes over only because the other has left the group
        TestApp test = TestApp.create(kafka, "stalled", 2)
                .withEngineStallTimeout(Duration.ofSeconds(2))
                .with("main.consumer.session.timeout.ms", "300000");
        try (TestEngine silent = TestEngine.delayed(Duration.ofMillis(1)).holding(text -> true);
                TestEngine healthy = TestEngine.delayed(Duration.ofMillis(1));
                ProcessorApp stalled = test.start(silent)) {
            test.send(texts(40, i -> "prompt " + i));
            assertThat(stalled.stopped().get(60, TimeUnit.SECONDS)).isEqualTo(ProcessorStatus.State.FAILED);

            assertThat(stalled.stall())
                    .hasValueSatisfying(why ->
                            assertThat(why).startsWith("the engine of model echo has completed no step for PT2S: "));
            assertThat(stalled.status().isLive()).isFalse();
            assertThat(stalled.status().isReady()).isFalse();
            assertThat(stalled.status().closures()).contains(new Closure(Closure.Reason.STALLED, "echo"));

            try (ProcessorApp other = test.start(healthy)) {
                awaitEndings(test, 40);
                assertThat(other.close(TIMEOUT)).isTrue();
                assertThat(other.stall())
                        .as("an engine that rests is not silent")
                        .isEmpty();
            }
        }

        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.failures()).isEmpty();
    }

    @Test
    void shouldSubmitWhatWasPendingAgainAfterARestartInTheSameJvm(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "restart", 2);
        try (TestEngine engine = TestEngine.delayed(Duration.ofMillis(1)).holding(text -> true)) {
            ProcessorApp first = test.start(engine);
            test.send(texts(20, i -> "prompt " + i));
            await().atMost(TIMEOUT).until(() -> engine.running() == 20);
            await().atMost(TIMEOUT)
                    .until(() -> kafka.committedOffsets(test.applicationId()).entrySet().stream()
                                    .filter(entry -> entry.getKey().topic().equals(test.prompts()))
                                    .mapToLong(Map.Entry::getValue)
                                    .sum()
                            == 20);
            assertThat(first.close(Duration.ZERO)).as("nothing left").isFalse();
            assertThat(engine.cancelled())
                    .as("the engine is not kept busy for nobody")
                    .hasSize(20);

            ProcessorApp second = test.start(engine);
            await().atMost(TIMEOUT).until(() -> engine.running() == 20);
            assertThat(test.committed(test.outputs().results())).isZero();
            engine.release();
            awaitEndings(test, 20);
            assertThat(second.close(TIMEOUT)).isTrue();
        }

        test.oracle().check().assertExactlyOnce();
        assertThat(metrics(test))
                .hasSize(20)
                .allSatisfy(metrics -> assertThat(metrics.getRecoveries()).isEqualTo(1));
    }

    @Test
    void shouldFinishWhatIsPendingAndLeaveTheGroupAtOnceWhenClosed(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "close", 2);
        try (TestEngine engine = TestEngine.delayed(Duration.ofMillis(700))) {
            ProcessorApp app = test.start(engine);
            assertThat(app.awaitRunning(TIMEOUT)).isTrue();
            test.send(texts(10, i -> "prompt " + i));
            await().atMost(TIMEOUT).until(() -> engine.running() > 0);

            assertThat(app.close(Duration.ofSeconds(20))).isTrue();

            assertThat(app.status().state()).isEqualTo(ProcessorStatus.State.CLOSED);
            assertThat(app.stopped()).isCompletedWithValue(ProcessorStatus.State.CLOSED);
            ConsumerGroupDescription group = kafka.admin()
                    .describeConsumerGroups(List.of(test.applicationId()))
                    .all()
                    .get()
                    .values()
                    .iterator()
                    .next();
            assertThat(group.members()).isEmpty();
        }
        Verdict verdict = test.oracle().check();
        assertThat(verdict.lost()).isEmpty();
        assertThat(verdict.doubled()).isEmpty();
        assertThat(verdict.pending()).isZero();
    }

    @Test
    void shouldHandOverAtOnceWhenItIsClosedUnderTrafficAndNotAllIsDrained(TestKafka kafka) throws Exception {
        // the session outlives the test: the other gets the partitions only because this one has left the group
        TestApp test = TestApp.create(kafka, "handover", 4).with("main.consumer.session.timeout.ms", "300000");
        try (TestEngine slow = TestEngine.delayed(Duration.ofMillis(1))
                        .holding(text -> text.endsWith("0") || text.endsWith("1"));
                TestEngine quick = TestEngine.delayed(Duration.ofMillis(1));
                ProcessorApp first = test.start(slow)) {
            assertThat(first.awaitRunning(TIMEOUT)).isTrue();
            test.send(texts(100, i -> "prompt " + i));
            await().atMost(TIMEOUT).until(() -> slow.running() == 20); // of each partition
            try (ProcessorApp second = test.start(quick)) {
                assertThat(second.awaitRunning(TIMEOUT)).isTrue();
                test.send(texts(100, i -> "more " + i));

                boolean drained = first.close(Duration.ofMillis(200));

                assertThat(first.status().state()).isEqualTo(ProcessorStatus.State.CLOSED);
                awaitEndings(test, 200);
                assertThat(second.close(TIMEOUT)).isTrue();
                assertThat(drained).as("what is held cannot end").isFalse();
            }
        }

        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.failures()).isEmpty();
    }

    @Test
    void shouldReportEachEngineEverySecond(TestKafka kafka) {
        TestApp test = TestApp.create(kafka, "interval", 1);
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            await().atMost(TIMEOUT).until(() -> test.committed(test.engineMetrics()) >= 2);
            assertThat(app.status().isLive()).isTrue();
        }
        Deserializer<EngineInterval> deserializer = RecordSerdes.deserializer(EngineInterval.class, Map.of());
        var record = kafka.readCommitted(test.engineMetrics()).getFirst();
        EngineInterval interval = deserializer.deserialize(record.topic(), record.value());
        assertThat(interval.getModel()).isEqualTo(TestApp.MODEL);
        assertThat(interval.getDurationMs()).isBetween(500L, 5000L);
        assertThat(interval.getInstance()).isEqualTo(test.settings().instance());
    }

    private static List<String> texts(int count, IntFunction<String> text) {
        return IntStream.range(0, count).mapToObj(text).toList();
    }

    private static void awaitEndings(TestApp test, int count) {
        await().atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> test.committed(test.outputs().results())
                                + test.committed(test.outputs().failures())
                                + test.committed(test.outputs().deadLetters())
                        == count);
    }

    private static List<InferenceMetrics> metrics(TestApp test) {
        Deserializer<InferenceMetrics> deserializer =
                RecordSerdes.deserializer(InferenceMetrics.class, Collections.emptyMap());
        return test.kafka().readCommitted(test.outputs().metrics()).stream()
                .map(record -> deserializer.deserialize(record.topic(), record.value()))
                .toList();
    }
}
