package io.millrace.streams.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.streams.config.DeduplicationSettings;
import io.millrace.streams.deduplication.RequestStore;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

/** The same prompt sent twice, on a real broker. */
@WithKafka
@MatrixRow("duplicate sends")
class DeduplicationTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final DeduplicationSettings WINDOW = new DeduplicationSettings(Duration.ofMinutes(10), 100_000);

    @Test
    void shouldAnswerEachOffsetUnlessAskedToDeduplicate(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "duplicates", 1);
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(prompt(test, 0, "r-1", "a"), prompt(test, 0, "r-1", "a")));
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) == 2);
            assertThat(app.close(TIMEOUT)).isTrue();
        }
        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.failures()).isEmpty();
        assertThat(kafka.admin().listTopics().names().get(60, TimeUnit.SECONDS))
                .as("off costs nothing")
                .doesNotContain(RequestStore.changelog(test.applicationId()));
    }

    @Test
    void shouldAnswerOneOfAPartitionsDuplicatesAndNameItToTheOthers(TestKafka kafka) {
        TestApp test = TestApp.create(kafka, "deduplicated", 2).with(WINDOW);
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(prompt(test, 0, "r-1", "a")));
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) == 1);
            kafka.produce(List.of(
                    prompt(test, 0, "r-1", "a"),
                    prompt(test, 0, "r-1", "a"),
                    prompt(test, 0, "r-2", "b"),
                    prompt(test, 1, "r-1", "another partition"),
                    test.record(0, TestApp.json("no id")),
                    test.record(0, TestApp.json("no id"))));
            awaitEndings(test, 7);
            assertThat(app.close(TIMEOUT)).isTrue();
            assertThat(engine.submitted()).hasSize(5);
        }
        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.results()).hasSize(5);
        assertThat(verdict.failures()).hasSize(2).allSatisfy(failure -> {
            assertThat(failure.getCode().name()).isEqualTo("DUPLICATE_REQUEST");
            assertThat(failure.getRetriable()).isFalse();
            assertThat(failure.getMessage())
                    .isEqualTo("request_id=r-1 was taken by " + test.prompts()
                            + "-0-0 a moment ago: this prompt is not run (processor.deduplication)");
        });
    }

    /** Its first owner is gone before it is answered, its second before it is asked for again. */
    @Test
    void shouldRememberOverCrashesWhoHasAnId(TestKafka kafka) {
        TestApp test = TestApp.create(kafka, "deduplicated-crash", 1)
                .with(WINDOW)
                // as if each owner were another process
                .withOrphanGrace(Duration.ZERO);
        try (TestEngine engine = TestEngine.immediate().holding(text -> true)) {
            ProcessorApp first = test.start(engine);
            kafka.produce(List.of(prompt(test, 0, "r-1", "a")));
            await().atMost(TIMEOUT).until(() -> engine.running() == 1);
            kafka.produce(List.of(prompt(test, 0, "r-1", "a")));
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().failures()) == 1);
            first.close();

            ProcessorApp second = test.start(engine);
            await().atMost(TIMEOUT).until(() -> engine.running() == 1);
            kafka.produce(List.of(prompt(test, 0, "r-1", "a")));
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().failures()) == 2);
            engine.release();
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) == 1);
            second.close();

            ProcessorApp third = test.start(engine);
            kafka.produce(List.of(prompt(test, 0, "r-1", "a")));
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().failures()) == 3);
            assertThat(third.close(TIMEOUT)).isTrue();
        }
        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.results())
                .singleElement()
                .satisfies(result -> assertThat(result.getSource().getOffset()).isZero());
        assertThat(verdict.failures())
                .extracting(failure -> failure.getCode().name())
                .containsOnly("DUPLICATE_REQUEST");
    }

    /** What is moved within the process goes on where it was, and is no duplicate of itself. */
    @Test
    void shouldAdoptWhatHasItsId(TestKafka kafka) {
        TestApp test = TestApp.create(kafka, "deduplicated-adopted", 1).with(WINDOW);
        try (TestEngine engine = TestEngine.immediate().holding(text -> true)) {
            ProcessorApp first = test.start(engine);
            kafka.produce(List.of(prompt(test, 0, "r-1", "a"), test.record(0, TestApp.json("no id"))));
            await().atMost(TIMEOUT).until(() -> engine.running() == 2);
            first.close();
            ProcessorApp second = test.start(engine);
            await().atMost(TIMEOUT).until(() -> engine.running() == 2);
            engine.release();
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) == 2);
            assertThat(second.close(TIMEOUT)).isTrue();
        }
        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.failures()).isEmpty();
    }

    @Test
    void shouldTakeAPromptAgainThatGotNoAnswer(TestKafka kafka) {
        TestApp test = TestApp.create(kafka, "deduplicated-again", 1).with(WINDOW);
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(prompt(test, 0, "r-1", "fail")));
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().failures()) == 1);
            kafka.produce(List.of(
                    new ProducerRecord<>(
                            test.prompts(),
                            0,
                            null,
                            "{\"prompt\":\"wrong\",\"request_id\":\"r-1\",\"operation\":\"sing\"}"
                                    .getBytes(StandardCharsets.UTF_8)),
                    prompt(test, 0, "r-1", "good")));
            awaitEndings(test, 3);
            assertThat(app.close(TIMEOUT)).isTrue();
        }
        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.results()).hasSize(1);
        assertThat(verdict.failures())
                .extracting(InferenceFailure::getCode)
                .containsExactlyInAnyOrder(FailureCode.ENGINE_ERROR, FailureCode.INVALID_REQUEST);
    }

    private static void awaitEndings(TestApp test, int count) {
        await().atMost(TIMEOUT)
                .until(() -> test.committed(test.outputs().results())
                                + test.committed(test.outputs().failures())
                        == count);
    }

    private static ProducerRecord<byte[], byte[]> prompt(TestApp test, int partition, String requestId, String text) {
        return test.record(partition, "{\"prompt\":\"" + text + "\",\"request_id\":\"" + requestId + "\"}");
    }
}
