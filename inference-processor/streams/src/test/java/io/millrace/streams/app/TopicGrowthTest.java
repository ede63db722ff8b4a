package io.millrace.streams.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.streams.app.TopicGrowth.Action;
import io.millrace.streams.app.TopicGrowth.Mode;
import io.millrace.streams.app.TopicGrowth.Step;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.NewPartitions;
import org.junit.jupiter.api.Test;

@WithKafka
class TopicGrowthTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @Test
    void shouldGrowWhatInstancesGoOnWith(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "grow", 2);
        answer(test, 20, 20);
        // read by nobody yet: it must still be answered after growing
        test.send(texts(10));

        List<Step> steps = new ArrayList<>();
        assertThat(grow(test, 5, Mode.DRY_RUN, steps::add)).isEqualTo(8);
        assertThat(kafka.partitions(test.prompts())).hasSize(2);
        List<Step> done = new ArrayList<>();
        grow(test, 5, Mode.FOR_REAL, done::add);

        assertThat(done).isEqualTo(steps);
        String changelog = test.applicationId() + "-pending-changelog";
        assertThat(done)
                .contains(
                        new Step(Action.GROW, test.prompts(), 2, 5),
                        new Step(Action.GROW, test.outputs().results(), 2, 5))
                .containsSubsequence(
                        new Step(Action.DELETE, changelog, 2, 0),
                        new Step(Action.GROW, test.prompts(), 2, 5),
                        new Step(Action.CREATE, changelog, 0, 5))
                .noneMatch(step -> step.topic().endsWith("-control"));
        assertThat(Topics.check(kafka.admin(), test.settings()))
                .noneMatch(finding -> finding.severity() != Finding.Severity.NOTE);
        assertThat(grow(test, 5, Mode.FOR_REAL, step -> {})).as("nothing to do").isZero();
        answer(test, 40, 70);
        test.oracle().check().assertExactlyOnce();
    }

    @Test
    void shouldGoOnAfterACrashBetweenAnyTwoSteps(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "crash", 1);
        answer(test, 5, 5);
        int all = grow(test, 3, Mode.DRY_RUN, step -> {});
        int answered = 5;
        for (int partitions = 3, crashAfter = 1; crashAfter < all; partitions++, crashAfter++) {
            int target = partitions;
            Consumer<Step> crash = crashAfter(crashAfter);
            assertThatThrownBy(() -> grow(test, target, Mode.FOR_REAL, crash)).hasMessage("crash");
            // an instance can start on what is there
            answered += 4;
            answer(test, 4, answered);
            assertThat(grow(test, target, Mode.FOR_REAL, step -> {})).isBetween(0, all);
            assertThat(kafka.partitions(test.prompts())).hasSize(target);
            assertThat(kafka.partitions(test.applicationId() + "-pending-changelog"))
                    .hasSize(target);
        }
        answer(test, 20, answered + 20);
        test.oracle().check().assertExactlyOnce();
    }

    @Test
    void shouldRefuseWhileInstancesRunOrPromptsArePending(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "refuse", 2);
        String group = test.applicationId();
        try (TestEngine engine = TestEngine.delayed(Duration.ofMillis(1)).holding(text -> true)) {
            ProcessorApp app = test.start(engine);
            test.send(texts(6));
            await().atMost(TIMEOUT).until(() -> engine.running() == 6);
            await().atMost(TIMEOUT).until(() -> test.consumed() == 6);

            assertThatThrownBy(() -> grow(test, 4, Mode.FOR_REAL, step -> {}))
                    .isInstanceOf(StartException.class)
                    .hasMessageStartingWith("group " + group + ": members=" + group)
                    .hasMessageEndingWith(
                            "expected=none. Remedy: stop every instance with SIGTERM, so that it answers what"
                                    + " is pending, then run it again");
            app.close();
        }

        assertThatThrownBy(() -> grow(test, 4, Mode.FOR_REAL, step -> {}))
                .isInstanceOf(StartException.class)
                .hasMessage(group + "-pending-changelog: pending prompts=6, expected=0: deleting it would lose them."
                        + " Remedy: start an instance again, and stop every instance with SIGTERM, so that it answers what"
                        + " is pending, then run it again; processor.drain_timeout is how long it may take");
        assertThatThrownBy(() -> grow(test, 4, Mode.DRY_RUN, step -> {})).hasMessageContaining("pending prompts=6");
        assertThatThrownBy(() -> grow(test, 1, Mode.FOR_REAL, step -> {}))
                .hasMessage("--partitions=1, expected=more than 2, which topic " + test.prompts()
                        + " has: Kafka takes no partitions away");
        assertThat(kafka.partitions(test.prompts())).hasSize(2);
        assertThat(kafka.partitions(test.outputs().results())).hasSize(2);

        answer(test, 0, 6);
        assertThat(grow(test, 4, Mode.FOR_REAL, step -> {})).isPositive();
        answer(test, 8, 14);
        test.oracle().check().assertExactlyOnce();
    }

    /** Between the look at the group and the deletion of the changelog an instance must not come. */
    @Test
    void shouldKeepInstancesOutWhileItGrows(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "locked", 2);
        try (TestEngine engine = TestEngine.immediate()) {
            grow(test, 4, Mode.FOR_REAL, step -> {
                if (step.action() == Action.DELETE) {
                    ProcessorApp app = test.start(engine);
                    assertThat(app.stopped().orTimeout(60, TimeUnit.SECONDS).join())
                            .isEqualTo(ProcessorStatus.State.FAILED);
                    app.close();
                }
            });
        }
        assertThat(kafka.partitions(test.applicationId() + "-pending-changelog"))
                .hasSize(4);
        answer(test, 8, 8);
        test.oracle().check().assertExactlyOnce();
    }

    @Test
    void shouldFinishWhereSomebodyGrewThePromptsTopicByHand(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "byhand", 2);
        answer(test, 4, 4);
        kafka.admin()
                .createPartitions(Map.of(test.prompts(), NewPartitions.increaseTo(3)))
                .all()
                .get();
        await().atMost(TIMEOUT).until(() -> kafka.partitions(test.prompts()).size() == 3);
        try (TestEngine engine = TestEngine.immediate()) {
            assertThatThrownBy(() -> test.start(engine)).hasMessageContaining("millrace topics grow --partitions 3");
        }
        assertThat(grow(test, 3, Mode.FOR_REAL, step -> {})).isPositive();
        answer(test, 6, 10);
        test.oracle().check().assertExactlyOnce();
    }

    private static int grow(TestApp test, int partitions, Mode mode, Consumer<Step> done) {
        return TopicGrowth.grow(test.kafka().admin(), test.settings(), partitions, mode, done);
    }

    private static Consumer<Step> crashAfter(int steps) {
        List<Step> done = new ArrayList<>();
        return step -> {
            done.add(step);
            if (done.size() == steps) {
                throw new IllegalStateException("crash");
            }
        };
    }

    /** Sends prompts, lets an instance answer until so many are answered in all, and stops it. */
    private static void answer(TestApp test, int prompts, int inAll) throws Exception {
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            test.send(texts(prompts));
            await().atMost(TIMEOUT).until(() -> test.committed(test.outputs().results()) == inAll);
            assertThat(app.close(TIMEOUT)).isTrue();
        }
    }

    private static List<String> texts(int count) {
        return IntStream.range(0, count).mapToObj(i -> "prompt " + i).toList();
    }
}
