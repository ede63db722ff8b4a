package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What {@link InferenceEngine} promises of every engine. A subclass opens one; all of this must hold. */
public abstract class EngineContract {

    private final ConcurrentLinkedQueue<Completion> completions = new ConcurrentLinkedQueue<>();
    private final ThreadLocal<Boolean> submitting = ThreadLocal.withInitial(() -> false);
    private final AtomicBoolean completedInsideSubmit = new AtomicBoolean();
    private @Nullable Rig rig;

    /** An engine whose requests go on for as long as the test likes. Closing it closes the engine. */
    public interface Rig extends AutoCloseable {

        /** The engine under test. */
        InferenceEngine engine();

        /** From now on what runs is answered soon, and so is all that comes to run. */
        void release();

        @Override
        void close();
    }

    /**
     * Opens an engine.
     *
     * @param maxRunning most requests that run at once
     * @param maxWaiting most that wait for a place beside them
     */
    protected abstract Rig open(int maxRunning, int maxWaiting) throws Exception;

    /** A request that is wrong in itself: {@code INVALID_REQUEST}. */
    protected abstract InferenceRequest wrong(String id);

    /** The {@code max_tokens} of all requests: more than an answer has before it is released. */
    protected int maxTokens() {
        return 16;
    }

    @AfterEach
    void close() {
        if (rig != null) {
            rig.close();
        }
        assertThat(completedInsideSubmit).as("a completion inside submit").isFalse();
    }

    @Test
    void shouldAnswerEachRequestOnceAndCount() throws Exception {
        InferenceEngine engine = start(4, 100);
        released();
        for (int i = 0; i < 50; i++) {
            accept(request("r" + i));
        }
        awaitCompletions(50);

        assertThat(ids()).doesNotHaveDuplicates();
        assertThat(completions).allSatisfy(completion -> {
            Completed completed = (Completed) completion;
            assertThat(completed.model()).isEqualTo(engine.model());
            assertThat(completed.output()).isInstanceOf(Output.Text.class);
            assertThat(completed.usage().promptTokens()).isPositive();
            assertThat(completed.usage().completionTokens()).isPositive();
            Completion.Timings timings = completed.timings();
            assertThat(timings.queueNanos()).isNotNegative();
            assertThat(timings.timeToFirstTokenNanos()).isBetween(timings.queueNanos(), timings.totalNanos());
        });
        awaitRest(engine);
        assertThat(engine.stats().promptTokensTotal()).isGreaterThanOrEqualTo(50);
        assertThat(engine.stats().generationTokensTotal()).isGreaterThanOrEqualTo(50);
        assertThat(engine.stats().stepsTotal()).isPositive();
    }

    @Test
    void shouldTakeRequestsAndCancellationsFromManyThreads() throws Exception {
        InferenceEngine engine = start(8, 1_000);
        released();
        try (ExecutorService submitters = Executors.newFixedThreadPool(4)) {
            for (int i = 0; i < 200; i++) {
                String id = "r" + i;
                boolean cancelled = i % 5 == 0;
                submitters.execute(() -> {
                    accept(request(id));
                    if (cancelled) {
                        engine.cancel(id);
                    }
                });
            }
        }
        awaitCompletions(200);
        awaitRest(engine);
        assertThat(ids()).doesNotHaveDuplicates();
    }

    @Test
    void shouldKeepWhatWaitsApartFromWhatRuns() throws Exception {
        InferenceEngine engine = start(2, 10);
        for (int i = 0; i < 5; i++) {
            accept(request("r" + i));
        }
        await().until(() -> engine.stats().running() == 2 && engine.stats().waiting() == 3);
        assertThat(engine.stats().healthy()).isTrue();
        assertThat(engine.isBroken()).isFalse();
        assertThat(engine.awaitsServer()).isFalse();
        assertThat(engine.describe()).contains(engine.model().name());
        assertThat(completions).isEmpty();
        released();
        awaitCompletions(5);
    }

    @Test
    void shouldCancelWhatRunsAndWhatWaits() throws Exception {
        InferenceEngine engine = start(1, 10);
        accept(request("runs"));
        awaitRunning(1);
        accept(request("waits"));

        engine.cancel("waits");
        engine.cancel("runs");
        engine.cancel("unknown");

        awaitCompletions(2);
        assertThat(ids()).containsExactlyInAnyOrder("runs", "waits");
        assertThat(codes()).containsOnly(FailureCode.CANCELLED);
        awaitRest(engine);
        engine.cancel("runs"); // has long ended
        accept(request("runs"));
        released();
        awaitCompletions(3);
        assertThat(completions.stream().filter(Completed.class::isInstance)).hasSize(1);
    }

    @Test
    void shouldFreeAnIdAtOnceWhenItsRequestIsCancelled() throws Exception {
        InferenceEngine engine = start(2, 10);
        accept(request("a"));
        awaitRunning(1);
        engine.cancel("a");
        accept(request("a"));
        awaitCompletions(1);
        released();

        awaitCompletions(2);
        assertThat(ids()).containsExactly("a", "a");
        assertThat(codes()).containsExactly(FailureCode.CANCELLED);
        awaitRest(engine);
    }

    @Test
    void shouldRefuseAnIdThatIsInFlightAndTakeItAgainLater() throws Exception {
        start(1, 10);
        accept(request("runs"));
        awaitRunning(1);
        accept(request("waits"));

        assertThatThrownBy(() -> submit(request("runs"))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> submit(request("waits"))).isInstanceOf(IllegalArgumentException.class);

        released();
        awaitCompletions(2);
        accept(request("runs"));
        awaitCompletions(3);
        assertThat(ids()).containsExactlyInAnyOrder("runs", "waits", "runs");
    }

    @Test
    void shouldEndRequestsAtTheirDeadlinesWhetherTheyRunOrWait() throws Exception {
        start(2, 10);
        accept(request("endless"));
        awaitRunning(1);
        Instant soon = Instant.now().plusMillis(200);
        accept(request("runs", 0, "", Optional.of(soon)));
        accept(request("waits", 0, "", Optional.of(soon)));
        accept(request("late", 0, "", Optional.of(Instant.now().minusSeconds(1))));

        awaitCompletions(3);

        assertThat(ids()).containsExactlyInAnyOrder("runs", "waits", "late");
        assertThat(codes()).containsOnly(FailureCode.DEADLINE_EXCEEDED);
        assertThat(completions)
                .allSatisfy(completion ->
                        assertThat(((Failed) completion).message()).startsWith("deadline="));
        released();
        awaitCompletions(4);
        assertThat(completions.stream().filter(Completed.class::isInstance))
                .extracting(Completion::requestId)
                .containsExactly("endless");
    }

    @Test
    void shouldRejectWhatItHasNoRoomForAndTakeItLater() throws Exception {
        start(1, 2);
        accept(request("runs"));
        awaitRunning(1);
        accept(request("first"));
        accept(request("second"));

        Optional<Rejection> rejection = submit(request("third"));

        assertThat(rejection.map(Rejection::reason)).contains(Rejection.Reason.QUEUE_FULL);
        released();
        awaitCompletions(3);
        assertThat(ids()).as("no callback of what was rejected").doesNotContain("third");
        await().until(() -> submit(request("third")).isEmpty());
        awaitCompletions(4);
    }

    @Test
    void shouldRunLowerPriorityNumbersFirst() throws Exception {
        start(1, 10);
        accept(request("runs"));
        awaitRunning(1);
        accept(request("low", 5, "", Optional.empty()));
        accept(request("middle", 0, "", Optional.empty()));
        accept(request("high", -5, "", Optional.empty()));
        released();

        awaitCompletions(4);
        assertThat(ids()).containsExactly("runs", "high", "middle", "low");
    }

    @Test
    void shouldHeedANewPriority() throws Exception {
        InferenceEngine engine = start(1, 10);
        accept(request("runs"));
        awaitRunning(1);
        accept(request("a"));
        accept(request("b"));
        accept(request("c"));
        engine.setPriority("c", -1);
        engine.setPriority("a", 1);
        engine.setPriority("unknown", 1);
        released();

        awaitCompletions(4);
        assertThat(ids()).containsExactly("runs", "c", "b", "a");
    }

    @Test
    void shouldLetTenantsTakeTurns() throws Exception {
        start(1, 10);
        accept(request("runs"));
        awaitRunning(1);
        for (String id : List.of("a1", "a2", "a3")) {
            accept(request(id, 0, "a", Optional.empty()));
        }
        accept(request("b1", 0, "b", Optional.empty()));
        released();

        awaitCompletions(5);
        assertThat(ids()).containsExactly("runs", "a1", "b1", "a2", "a3");
    }

    @Test
    void shouldTakeAWrongRequestAndFailIt() throws Exception {
        InferenceEngine engine = start(1, 10);
        accept(wrong("wrong"));

        awaitCompletions(1);
        assertThat(ids()).containsExactly("wrong");
        assertThat(codes()).containsExactly(FailureCode.INVALID_REQUEST);
        assertThat(((Failed) completions.element()).message()).isNotBlank();
        awaitRest(engine);
    }

    @Test
    void shouldSayNothingOfRequestsItDoesNotKnow() throws Exception {
        InferenceEngine engine = start(1, 10);
        assertThat(engine.generatedTokens("unknown")).isZero();
        accept(request("a"));
        assertThat(engine.generatedTokens("a")).isNotNegative();
        released();
        awaitCompletions(1);
    }

    @Test
    void shouldGoOnWhenACallbackThrows() throws Exception {
        InferenceEngine engine = start(1, 10);
        Consumer<Completion> broken = completion -> {
            throw new IllegalStateException("a bug of the caller");
        };
        assertThat(engine.submit(request("broken"), broken)).isEmpty();
        accept(request("next"));
        released();

        awaitCompletions(1);
        assertThat(ids()).containsExactly("next");
    }

    @Test
    void shouldCallNobodyAfterClose() throws Exception {
        InferenceEngine engine = start(1, 10);
        accept(request("runs"));
        awaitRunning(1);
        accept(request("waits"));

        engine.close();
        released();
        engine.close();

        assertThat(submit(request("late")).map(Rejection::reason)).contains(Rejection.Reason.CLOSED);
        await().during(Duration.ofMillis(100)).until(completions::isEmpty);
    }

    @Test
    void shouldCloseFromWithinACallback() throws Exception {
        InferenceEngine engine = start(1, 10);
        AtomicBoolean closed = new AtomicBoolean();
        released();
        Optional<Rejection> rejection = engine.submit(request("a"), completion -> {
            engine.close();
            closed.set(true);
        });

        assertThat(rejection).isEmpty();
        await().untilTrue(closed);
        assertThat(submit(request("late")).map(Rejection::reason)).contains(Rejection.Reason.CLOSED);
    }

    /** A request that anything can answer. */
    protected final InferenceRequest request(String id) {
        return request(id, 0, "", Optional.empty());
    }

    /** The same with what orders it among others. */
    protected final InferenceRequest request(String id, int priority, String tenant, Optional<Instant> deadline) {
        return new InferenceRequest(
                id,
                Operation.GENERATE,
                new Input.Text("abc"),
                SamplingParameters.GREEDY.toBuilder().maxTokens(maxTokens()).build(),
                Optional.empty(),
                7,
                priority,
                tenant,
                deadline,
                System.nanoTime());
    }

    private InferenceEngine start(int maxRunning, int maxWaiting) throws Exception {
        rig = open(maxRunning, maxWaiting);
        return rig.engine();
    }

    private Rig rig() {
        if (rig == null) {
            throw new IllegalStateException("start first");
        }
        return rig;
    }

    private void released() {
        rig().release();
    }

    private void accept(InferenceRequest request) {
        assertThat(submit(request)).as("rejection of %s", request.id()).isEmpty();
    }

    private Optional<Rejection> submit(InferenceRequest request) {
        submitting.set(true);
        try {
            return rig().engine().submit(request, completion -> {
                if (submitting.get()) {
                    completedInsideSubmit.set(true);
                }
                completions.add(completion);
            });
        } finally {
            submitting.remove();
        }
    }

    private void awaitRunning(int count) {
        await().until(() -> rig().engine().stats().running() == count);
    }

    /** So many completions, and that nothing more comes with them. */
    private void awaitCompletions(int count) {
        await().atMost(Duration.ofSeconds(30)).until(() -> completions.size() >= count);
        assertThat(completions).hasSize(count);
    }

    private static void awaitRest(InferenceEngine engine) {
        await().until(() -> engine.stats().running() + engine.stats().waiting() == 0);
    }

    /** In the order of completion. */
    private List<String> ids() {
        return completions.stream().map(Completion::requestId).toList();
    }

    private List<FailureCode> codes() {
        List<FailureCode> codes = new ArrayList<>();
        for (Completion completion : completions) {
            if (completion instanceof Failed failed) {
                codes.add(failed.code());
            }
        }
        return codes;
    }
}
