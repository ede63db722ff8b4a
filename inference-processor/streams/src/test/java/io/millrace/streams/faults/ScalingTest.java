package io.millrace.streams.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.app.ProcessorHooks;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Members come and go while everything is being generated. */
@WithKafka
@MatrixRow("scale up or down mid-generation; a new instance on a long changelog")
class ScalingTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int PARTITIONS = 4;
    private static final int PROMPTS = 40;

    /** Of two members, each with half of the partitions. */
    private static final int HALF = PROMPTS / 2;

    private final AtomicInteger adopted = new AtomicInteger();

    private final ProcessorObserver observer = new ProcessorObserver() {
        @Override
        public void adopted(String model, int generatedTokens) {
            adopted.incrementAndGet();
        }
    };

    @Test
    void shouldGiveWorkToANewMemberAndTakeUpItsOwnAgainWhenThatLeaves(TestKafka kafka) throws Exception {
        // nobody takes so long to leave, however busy the machine is
        TestApp test = TestApp.create(kafka, "scaling", PARTITIONS).withOrphanGrace(Duration.ofMinutes(5));
        try (TestEngine engine = TestEngine.immediate().holding(text -> true);
                TestEngine another = TestEngine.immediate().holding(text -> true);
                ProcessorApp stays = test.start(engine, ProcessorHooks.of(observer))) {
            generating(test, engine);

            ProcessorApp leaves = test.start(another);
            await("half of the work has moved").atMost(TIMEOUT).until(() -> another.running() == HALF);
            assertThat(engine.running()).as("orphans run on").isEqualTo(PROMPTS);
            assertThat(leaves.close(Duration.ZERO)).as("nothing was pending").isFalse();

            await("it has its orphans again").atMost(TIMEOUT).until(() -> adopted.get() == HALF);
            assertThat(engine.submitted()).as("none is begun again").hasSize(PROMPTS);
            engine.release();
            await().atMost(TIMEOUT).until(() -> test.endings() == PROMPTS);
            assertThat(stays.close(TIMEOUT)).isTrue();
        }
        assertAllAnswered(test, PROMPTS);
    }

    @Test
    void shouldDropOrphansThatAnotherMemberAnswers(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "dropping", PARTITIONS).withOrphanGrace(Duration.ofMillis(200));
        try (TestEngine engine = TestEngine.immediate().holding(text -> true);
                TestEngine another = TestEngine.immediate();
                ProcessorApp first = test.start(engine)) {
            generating(test, engine);

            try (ProcessorApp second = test.start(another)) {
                await("the new member answers its half").atMost(TIMEOUT).until(() -> test.endings() == HALF);
                await("the other drops it")
                        .atMost(TIMEOUT)
                        .until(() -> engine.cancelled().size() == HALF);
                engine.release();
                await().atMost(TIMEOUT).until(() -> test.endings() == PROMPTS);
                assertThat(second.close(TIMEOUT)).isTrue();
            }
            assertThat(first.close(TIMEOUT)).isTrue();
        }
        assertAllAnswered(test, PROMPTS);
    }

    /** Nearly all of it are entries and their tombstones; what is left of it is restored and answered. */
    @Test
    void shouldRestoreFromALongChangelogWhatIsPending(TestKafka kafka) throws Exception {
        int slow = 10;
        int quick = 2000;
        TestApp test = TestApp.create(kafka, "long-changelog", PARTITIONS);
        try (TestEngine engine = TestEngine.immediate().holding(text -> text.startsWith("slow"));
                ProcessorApp first = test.start(engine)) {
            test.send(texts("slow", slow));
            test.send(texts("quick", quick));
            await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(300)).until(() -> test.endings() == quick);
            await().atMost(TIMEOUT).until(() -> test.consumed() == slow + quick);
            assertThat(first.close(Duration.ZERO)).as("nothing was pending").isFalse();
        }
        long changes = kafka.endOffsets(PendingStore.changelog(test.applicationId())).values().stream()
                .mapToLong(Long::longValue)
                .sum();
        assertThat(changes).isGreaterThan(2L * quick);

        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp second = test.start(engine)) {
            await().atMost(TIMEOUT).until(() -> test.endings() == slow + quick);
            assertThat(engine.submitted()).hasSize(slow);
            assertThat(second.close(TIMEOUT)).isTrue();
        }
        assertAllAnswered(test, slow + quick);
    }

    private static void generating(TestApp test, TestEngine engine) {
        test.send(texts("prompt", PROMPTS));
        await().atMost(TIMEOUT).until(() -> engine.running() == PROMPTS && test.consumed() == PROMPTS);
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
