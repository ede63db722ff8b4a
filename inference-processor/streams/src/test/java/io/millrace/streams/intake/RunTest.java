package io.millrace.streams.intake;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Completion;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.SamplingParameters;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.pending.Payload;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PendingPrompt;
import io.millrace.streams.records.Origin;
import io.millrace.streams.records.PromptIdentity;
import io.millrace.streams.testing.TestEngine;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A request in an engine that loses its owner and finds another, or does not. */
class RunTest {

    private static final PendingKey KEY = new PendingKey(Uuid.ONE_UUID, 0, 7);
    private static final int PRIORITY = 5;

    private final List<Runnable> timers = new ArrayList<>();
    private final List<Integer> savedTokens = new ArrayList<>();
    private final TestEngine engine = TestEngine.immediate().holding(text -> true);
    private final Runs runs = new Runs(Duration.ofSeconds(15), new Timers(), new Observer());
    private final TaskLease first = new TaskLease("0_0", runs, TaskLease.Decision.NONE);
    private final TaskLease second = new TaskLease("0_0", runs, TaskLease.Decision.NONE);
    private final Run run = start(first);
    private int expired;

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void shouldGiveTheEndingToTheOwner() {
        assertThat(run.complete(done()).orElseThrow().lease()).isSameAs(first);
        assertThat(run.complete(done())).as("only the first counts").isEmpty();
    }

    @Test
    void shouldRunOnLastOfAllWithoutAnOwner() {
        first.close();

        assertThat(run.state()).isEqualTo(Run.State.ORPHANED);
        assertThat(engine.cancelled()).isEmpty();
        assertThat(engine.priorities()).containsEntry(run.id(), Integer.MAX_VALUE);
    }

    @Test
    void shouldGiveTheEndingToWhoeverAdoptedIt() {
        first.close();
        Work heir = work(second, "hello");

        Run.Adoption adoption = runs.adopt(heir).orElseThrow();

        assertThat(adoption.completion()).isEmpty();
        assertThat(engine.priorities()).as("its own priority again").containsEntry(run.id(), PRIORITY);
        assertThat(savedTokens).as("as the engine tells").containsExactly("hello".length());
        assertThat(run.complete(done())).containsSame(heir);
        timers.forEach(Runnable::run);
        assertThat(engine.cancelled())
                .as("the grace of before is of no account")
                .isEmpty();
    }

    @Test
    void shouldKeepAnEndingForTheNextOwner() {
        first.close();
        assertThat(run.complete(done())).as("nobody's").isEmpty();

        assertThat(runs.adopt(work(second, "hello")).orElseThrow().completion()).contains(done());
        assertThat(run.complete(done())).as("not a second time").isEmpty();
    }

    @Test
    void shouldKeepAnEndingThatTheOwnerDidNotTake() {
        assertThat(run.complete(done())).isPresent();
        first.close();

        assertThat(runs.adopt(work(second, "hello")).orElseThrow().completion()).contains(done());
    }

    @Test
    void shouldForgetAnEndingThatTheOwnerTook() {
        Work owner = run.complete(done()).orElseThrow();
        first.settle(owner, TaskLeaseTest.OUTCOME);
        assertThat(first.poll()).isNotNull();
        first.close();

        assertThat(run.state()).as("it was not orphaned").isEqualTo(Run.State.OWNED);
        assertThat(runs.adopt(work(second, "hello"))).isEmpty();
    }

    @Test
    void shouldCancelWhatNobodyAdopts() {
        first.close();
        timers.forEach(Runnable::run);

        assertThat(engine.cancelled()).containsExactly(run.id());
        assertThat(run.state()).isEqualTo(Run.State.ENDED);
        assertThat(expired).isEqualTo(1);
        assertThat(runs.adopt(work(second, "hello"))).isEmpty();
        assertThat(run.complete(done())).as("nobody hears of it").isEmpty();
    }

    @Test
    void shouldCancelAnotherPromptAtTheSamePlace() {
        first.close();

        assertThat(runs.adopt(work(second, "another"))).isEmpty();
        assertThat(engine.cancelled()).containsExactly(run.id());
    }

    @Test
    void shouldTellPromptsApartByKeyAndHeadersToo() {
        PendingPrompt prompt = prompt("hello");
        PendingPrompt otherKey = PendingPrompt.admitted(new byte[] {1}, prompt.payload(), prompt.headers(), 1, 1);
        PendingPrompt otherHeaders = PendingPrompt.admitted(
                prompt.key(), prompt.payload(), List.of(new RecordHeader("a", new byte[0])), 1, 1);
        PendingPrompt later = PendingPrompt.admitted(prompt.key(), prompt.payload(), prompt.headers(), 8, 9)
                .recovered();

        for (PendingPrompt other : List.of(otherKey, otherHeaders)) {
            Run orphan = start(new TaskLease("0_0", runs, TaskLease.Decision.NONE));
            orphan.lease().close();
            assertThat(runs.adopt(new Work(second, KEY, other, "prompts", 0))).isEmpty();
        }
        Run orphan = start(new TaskLease("0_0", runs, TaskLease.Decision.NONE));
        orphan.lease().close();
        assertThat(runs.adopt(new Work(second, KEY, later, "prompts", 0))).isPresent();
    }

    @Test
    void shouldBeOrphanedAgainWhereTheNewOwnerIsGone() {
        first.close();
        second.close();

        assertThat(runs.adopt(work(second, "hello"))).isEmpty();
        assertThat(run.state()).isEqualTo(Run.State.ORPHANED);
        assertThat(runs.adopt(work(new TaskLease("0_0", runs, TaskLease.Decision.NONE), "hello")))
                .isPresent();
    }

    @Test
    void shouldCancelAtOnceWithoutAGrace() {
        Runs graceless = new Runs(Duration.ZERO, new Timers(), ProcessorObserver.NONE);
        TaskLease lease = new TaskLease("0_0", graceless, TaskLease.Decision.NONE);
        Run cancelled = start(lease);

        lease.close();

        assertThat(engine.cancelled()).containsExactly(cancelled.id());
        assertThat(timers).isEmpty();
    }

    @Test
    void shouldCancelEverythingWhenTheApplicationClosesAndFailNothing() {
        Run owned = start(new TaskLease("0_1", runs, TaskLease.Decision.NONE));
        first.close();

        runs.close();

        assertThat(engine.cancelled()).containsExactlyInAnyOrder(run.id(), owned.id());
        assertThat(owned.complete(Completion.Failed.of(owned.id(), FailureCode.CANCELLED, "")))
                .as("a cancellation of ours is no ending")
                .isEmpty();
        assertThat(runs.enter(run)).isEqualTo(Runs.Entry.CLOSED);
    }

    @Test
    void shouldResubmitForTheNewOwnerWhatTheEngineRefused() {
        first.close();
        Work heir = work(second, "hello");
        assertThat(runs.adopt(heir)).isPresent();

        assertThat(runs.refuse(run)).containsSame(heir);
        second.close();
        assertThat(run.state()).as("nothing is left to orphan").isEqualTo(Run.State.ENDED);
    }

    @Test
    void shouldRepeatWhatTheEngineWasToldTooEarly() {
        engine.releaseHeld();
        first.close();
        resubmit(run);
        runs.entered(run);
        assertThat(engine.priorities()).containsEntry(run.id(), Integer.MAX_VALUE);

        timers.forEach(Runnable::run);
        resubmit(run);
        runs.entered(run);
        assertThat(engine.running()).isZero();
    }

    private Run start(TaskLease lease) {
        Run started = new Run(work(lease, "hello"), "echo", engine, identity(lease), PRIORITY);
        assertThat(runs.enter(started)).isEqualTo(Runs.Entry.ENTERED);
        assertThat(lease.attach(started)).isTrue();
        resubmit(started);
        return started;
    }

    private void resubmit(Run started) {
        InferenceRequest request = new InferenceRequest(
                started.id(),
                Operation.CHAT,
                new Input.Text("hello"),
                SamplingParameters.DEFAULT,
                Optional.empty(),
                1,
                PRIORITY,
                "",
                Optional.empty(),
                0);
        assertThat(engine.submit(request, completion -> runs.leave(started))).isEmpty();
    }

    private static PromptIdentity identity(TaskLease lease) {
        Origin origin = work(lease, "hello").origin();
        return PromptIdentity.unknown(origin);
    }

    private static Work work(TaskLease lease, String text) {
        return new Work(lease, KEY, prompt(text), "prompts", 0);
    }

    private static PendingPrompt prompt(String text) {
        return PendingPrompt.admitted(null, new Payload.Raw(text.getBytes(StandardCharsets.UTF_8)), List.of(), 1, 2);
    }

    private static Completion done() {
        return Completion.Failed.of("x", FailureCode.ENGINE_ERROR, "as good as any");
    }

    private final class Observer implements ProcessorObserver {

        @Override
        public void adopted(String model, int generatedTokens) {
            savedTokens.add(generatedTokens);
        }

        @Override
        public void orphanExpired() {
            expired++;
        }
    }

    private final class Timers implements IntakeThreads {

        @Override
        public void execute(Runnable task) {
            task.run();
        }

        @Override
        public void after(Duration delay, Runnable task) {
            timers.add(task);
        }

        @Override
        public void close() {}
    }
}
