package io.millrace.streams.app;

import static io.millrace.streams.testing.TestApp.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlScope;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

/** Commands from the control topic, on a real broker. */
@WithKafka
class ControlTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @Test
    void shouldCancelALongGenerationAndStopTheEngine(TestKafka kafka) {
        TestApp test = TestApp.create(kafka, "cancel", 2);
        try (TestEngine engine = TestEngine.immediate().holding(text -> text.startsWith("long"));
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(
                    test.record(0, "{\"prompt\":\"long story\",\"request_id\":\"r-1\"}"),
                    test.record(1, "{\"prompt\":\"long poem\",\"request_id\":\"r-2\"}"),
                    test.record(0, json("short"))));
            await().atMost(TIMEOUT)
                    .until(() -> engine.running() == 2
                            && test.committed(test.outputs().results()) == 1);

            test.command(ControlAction.CANCEL, ControlScope.REQUEST, "r-1");

            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().failures()) == 1);
            assertThat(engine.cancelled()).singleElement().asString().contains("-0-0#");
            assertThat(engine.running()).isEqualTo(1);
            engine.release();
            assertThat(app.close(TIMEOUT)).isTrue();
        }

        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        InferenceFailure failure = verdict.failures().getFirst();
        assertThat(failure.getRequestId()).isEqualTo("r-1");
        assertThat(failure.getCode()).isEqualTo(FailureCode.CANCELLED);
        assertThat(failure.getMessage())
                .isEqualTo("request=r-1 was cancelled by command_id=test-CANCEL: a test says so");
        assertThat(failure.getPartialText()).isEqualTo("so far");
        assertThat(verdict.results()).hasSize(2);
    }

    /** Four of the job are pending, and none counts: two others go through a gate of two. */
    @Test
    void shouldHoldAPausedJobOverARestartAndAnswerItOnceWhenItIsResumed(TestKafka kafka) {
        TestApp test = TestApp.create(kafka, "pause", 2).with(new GateLimits(2, 2, 1L << 20));
        test.command(ControlAction.PAUSE, ControlScope.JOB, "nightly");
        List<String> texts = new ArrayList<>();
        try (TestEngine engine = TestEngine.immediate()) {
            ProcessorApp first = test.start(engine);
            for (int i = 0; i < 4; i++) {
                kafka.produce(List.of(test.record(i % 2, ofJob("nightly", "held " + i))));
                texts.add("held " + i);
            }
            kafka.produce(List.of(test.record(0, ofJob("daily", "free 0")), test.record(1, json("free 1"))));
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) == 2);
            await().atMost(TIMEOUT).until(() -> first.status().paused() == 4);
            assertThat(first.status().pending()).isZero();
            assertThat(first.close(TIMEOUT))
                    .as("nobody waits for what is paused")
                    .isTrue();

            ProcessorApp second = test.start(engine);
            await().atMost(TIMEOUT).until(() -> second.status().paused() == 4);
            assertThat(texts(engine)).containsExactlyInAnyOrder("free 0", "free 1");

            test.command(ControlAction.RESUME, ControlScope.JOB, "nightly");

            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) == 6);
            await().atMost(TIMEOUT).until(() -> second.status().paused() == 0);
            assertThat(second.close(TIMEOUT)).isTrue();
            assertThat(texts(engine)).containsAll(texts).hasSize(6);
        }
        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.failures()).isEmpty();
    }

    @Test
    void shouldCancelAPausedJobAfterARestart(TestKafka kafka) {
        TestApp test = TestApp.create(kafka, "cancel-paused", 1);
        test.command(ControlAction.PAUSE, ControlScope.TENANT, "acme");
        try (TestEngine engine = TestEngine.immediate()) {
            ProcessorApp first = test.start(engine);
            kafka.produce(List.of(
                    test.record(0, "{\"prompt\":\"a\",\"tenant\":\"acme\"}"),
                    test.record(0, "{\"prompt\":\"b\",\"tenant\":\"acme\"}")));
            await().atMost(TIMEOUT).until(() -> first.status().paused() == 2);
            first.close();
            test.command(ControlAction.CANCEL, ControlScope.TENANT, "acme");

            ProcessorApp second = test.start(engine);
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().failures()) == 2);
            assertThat(second.close(TIMEOUT)).isTrue();
            assertThat(engine.submitted()).isEmpty();
        }
        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.failures())
                .allSatisfy(failure -> assertThat(failure.getMessage())
                        .isEqualTo("tenant=acme was cancelled by command_id=test-CANCEL: a test says so"));
    }

    @Test
    void shouldStopFetchingWhenTooManyArePausedAndSayWhose(TestKafka kafka) {
        TestApp test = TestApp.create(kafka, "paused-bound", 1).with(new GateLimits(100, 100, 1L << 20, 3));
        test.command(ControlAction.PAUSE, ControlScope.JOB, "nightly");
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(
                    test.record(0, ofJob("nightly", "0")),
                    test.record(0, ofJob("nightly", "1")),
                    test.record(0, ofJob("nightly", "2"))));
            await().atMost(TIMEOUT)
                    .untilAsserted(() -> assertThat(app.status().closures())
                            .containsExactly(new Closure(Closure.Reason.PAUSED, "job=nightly")));
            assertThat(app.status().isReady()).isTrue();
            kafka.produce(List.of(test.record(0, json("behind the gate"))));

            test.command(ControlAction.RESUME, ControlScope.JOB, "nightly");

            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) == 4);
            assertThat(app.status().closures()).isEmpty();
            assertThat(app.close(TIMEOUT)).isTrue();
        }
        test.oracle().check().assertExactlyOnce();
    }

    @Test
    void shouldNotBeStoppedByRecordsThatMakeNoCommand(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "malformed", 1);
        kafka.produce(List.of(
                control(test, "garbage", new byte[] {0, 1, 2, (byte) 0xFF}),
                control(
                        test,
                        "no target",
                        utf8("{\"command_id\":\"c\",\"action\":\"CANCEL\",\"scope\":\"JOB\",\"issued_at\":1}"))));
        try (TestEngine engine = TestEngine.immediate().holding(text -> true);
                ProcessorApp app = test.start(engine)) {
            assertThat(app.awaitRunning(TIMEOUT)).isTrue();
            kafka.produce(List.of(control(test, "more garbage", utf8("[[[")), test.record(0, ofJob("j", "a"))));
            await().atMost(TIMEOUT).until(() -> engine.running() == 1);

            test.command(ControlAction.CANCEL, ControlScope.JOB, "j");

            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().failures()) == 1);
            assertThat(app.close(TIMEOUT)).isTrue();
        }
        test.oracle().check().assertExactlyOnce();
    }

    @Test
    void shouldNotStartWithoutAControlTopic(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "no-control", 1);
        kafka.admin().deleteTopics(List.of(test.control())).all().get(60, TimeUnit.SECONDS);
        await().atMost(TIMEOUT)
                .until(() -> !kafka.admin()
                        .listTopics()
                        .names()
                        .get(60, TimeUnit.SECONDS)
                        .contains(test.control()));
        try (TestEngine engine = TestEngine.immediate()) {
            assertThatThrownBy(() -> test.start(engine))
                    .isInstanceOf(StartException.class)
                    .hasMessageContaining(
                            test.control() + ": topic=absent, expected=exists. Remedy: millrace topics create");
        }
    }

    private static ProducerRecord<byte[], byte[]> control(TestApp test, String key, byte[] value) {
        return new ProducerRecord<>(test.control(), utf8(key), value);
    }

    private static String ofJob(String job, String text) {
        return "{\"prompt\":\"" + text + "\",\"job_id\":\"" + job + "\"}";
    }

    private static List<String> texts(TestEngine engine) {
        return engine.submitted().stream().map(TestEngine::text).toList();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
