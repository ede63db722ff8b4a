package io.millrace.streams.intake;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.devstack.MatrixRow;
import io.millrace.engine.Rejection;
import io.millrace.engine.SamplingParameters;
import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.ControlScope;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.gate.Gate;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.pending.Payload;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PendingPrompt;
import io.millrace.streams.records.OutRecord;
import io.millrace.streams.records.OutcomeEncoder;
import io.millrace.streams.records.OutputSerializers;
import io.millrace.streams.records.OutputTopics;
import io.millrace.streams.records.Sink;
import io.millrace.streams.records.SizeLimits;
import io.millrace.streams.testing.TestEngine;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What commands and deadlines do to prompts that wait, run or are held. */
class CommandsTest {

    private static final long ADMITTED_MS = 5_000;

    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final ArrayDeque<Runnable> timers = new ArrayDeque<>();
    private final TestEngine engine = TestEngine.immediate();
    private final Gate gate = new Gate(new GateLimits(10, 10, 1000));
    private final Intake intake = intake();
    private final TaskLease lease = intake.lease("0_0", TaskLease.Decision.NONE);
    private long nanos = 1_000;

    private Intake intake() {
        OutputSerializers serializers = new OutputSerializers(
                new OutputTopics("results", "failures", "metrics", "dead-letters"),
                RecordSerdes.serializer(InferenceResult.class, Map.of()),
                RecordSerdes.serializer(InferenceFailure.class, Map.of()),
                RecordSerdes.serializer(InferenceMetrics.class, Map.of()));
        Map<Sink, Long> bytes = Arrays.stream(Sink.values()).collect(Collectors.toMap(sink -> sink, sink -> 1L << 20));
        return new Intake(
                RecordSerdes.deserializer(PromptRequest.class, Map.of()),
                new Models(Map.of("echo", new ServedModel(engine, SamplingParameters.DEFAULT)), "echo"),
                new OutcomeEncoder(serializers, new SizeLimits(1 << 20, bytes), "i", InstantSource.system()),
                gate,
                ProcessorObserver.NONE,
                new ManualThreads(),
                1,
                Duration.ofSeconds(15),
                UUID.randomUUID(),
                other -> CompletableFuture.completedStage(Optional.of(false)));
    }

    @AfterEach
    void close() {
        intake.close();
        engine.close();
    }

    @Test
    void shouldCancelWhatRunsAndKeepItsText() {
        engine.holding(text -> true);
        offer(0, "{\"prompt\":\"a\",\"job_id\":\"j\"}");
        offer(1, "{\"prompt\":\"b\",\"job_id\":\"another\"}");

        command(ControlAction.CANCEL, ControlScope.JOB, "j", ADMITTED_MS);

        assertThat(engine.cancelled()).containsExactly(work(0, "").engineId());
        InferenceFailure failure = failure(lease.poll());
        assertThat(failure.getSource().getOffset()).isZero();
        assertThat(failure.getCode()).isEqualTo(FailureCode.CANCELLED);
        assertThat(failure.getMessage()).isEqualTo("job=j was cancelled by command_id=c-1: wrong model");
        assertThat(failure.getPartialText()).isEqualTo("so far");
        assertThat(failure.getRetriable()).isTrue();
        assertThat(lease.poll()).isNull();
    }

    @Test
    void shouldCancelARequestByItsPlaceWhereItHasNoId() {
        engine.holding(text -> true);
        offer(7, "{\"prompt\":\"a\"}");

        command(ControlAction.CANCEL, ControlScope.REQUEST, "prompts-0-7", ADMITTED_MS);

        assertThat(failure(lease.poll()).getCode()).isEqualTo(FailureCode.CANCELLED);
    }

    @Test
    void shouldNotTouchWhatWasAdmittedLater() {
        engine.holding(text -> true);
        command(ControlAction.CANCEL, ControlScope.TENANT, "t", ADMITTED_MS - 1);

        offer(0, "{\"prompt\":\"a\",\"tenant\":\"t\"}");
        command(ControlAction.CANCEL, ControlScope.TENANT, "t", ADMITTED_MS - 1);

        assertThat(engine.running()).isEqualTo(1);
        assertThat(engine.cancelled()).isEmpty();
    }

    @Test
    void shouldCancelAnEarlierPromptThatComesAfterTheCommand() {
        command(ControlAction.CANCEL, ControlScope.TENANT, "t", ADMITTED_MS);

        offer(0, "{\"prompt\":\"a\",\"tenant\":\"t\"}");

        assertThat(engine.submitted()).isEmpty();
        assertThat(failure(lease.poll()).getMessage())
                .isEqualTo("tenant=t was cancelled by command_id=c-1: wrong model");
    }

    /** The engine does not know a request yet whose cancellation comes during its submission. */
    @Test
    void shouldCancelWhatIsBeingSubmittedWhenTheCommandComes() {
        engine.holding(text -> {
            apply(ControlAction.CANCEL, ControlScope.JOB, "j", ADMITTED_MS);
            return true;
        });

        offer(0, "{\"prompt\":\"a\",\"job_id\":\"j\"}");

        assertThat(failure(lease.poll()).getCode()).isEqualTo(FailureCode.CANCELLED);
        assertThat(engine.running()).isZero();
    }

    @Test
    void shouldLeaveAnAnswerAloneThatCameFirst() {
        offer(0, "{\"prompt\":\"a\",\"job_id\":\"j\"}");

        command(ControlAction.CANCEL, ControlScope.JOB, "j", ADMITTED_MS);

        assertThat(Objects.requireNonNull(lease.poll()).outcome().label()).isEqualTo("stop");
        assertThat(lease.poll()).isNull();
    }

    @Test
    void shouldCancelWhatWaitsForAnEngineAndNothingElse() {
        engine.refuse(new Rejection(Rejection.Reason.UNAVAILABLE, "down"));
        for (int offset = 0; offset < 6; offset++) {
            offer(offset, "{\"prompt\":\"" + offset + "\",\"job_id\":\"" + (offset % 2 == 0 ? "even" : "odd") + "\"}");
        }

        command(ControlAction.CANCEL, ControlScope.JOB, "even", ADMITTED_MS);

        assertThat(failure(lease.poll()).getSource().getOffset()).isZero();
        assertThat(failure(lease.poll()).getSource().getOffset()).isEqualTo(2);
        assertThat(failure(lease.poll()).getSource().getOffset()).isEqualTo(4);
        assertThat(lease.poll()).isNull();
        engine.accept();
        runTimers();
        assertThat(submitted()).containsExactly("1", "3", "5");
        assertThat(gate.isClosed()).isFalse();
    }

    @Test
    void shouldOpenTheGateAgainWhenAllThatWaitedIsCancelled() {
        engine.refuse(new Rejection(Rejection.Reason.UNAVAILABLE, "down"));
        offer(0, "{\"prompt\":\"a\",\"job_id\":\"j\"}");
        assertThat(gate.isClosed()).isTrue();

        command(ControlAction.CANCEL, ControlScope.JOB, "j", ADMITTED_MS);
        runTimers();

        assertThat(gate.isClosed()).isFalse();
    }

    @Test
    void shouldHoldAPausedJobAndReleaseItInOrder() {
        command(ControlAction.PAUSE, ControlScope.JOB, "j", 1);
        for (int offset : new int[] {3, 0, 2, 1}) {
            offer(offset, "{\"prompt\":\"" + offset + "\",\"job_id\":\"j\"}");
        }
        offer(4, "{\"prompt\":\"4\",\"job_id\":\"another\"}");

        assertThat(submitted()).containsExactly("4");
        assertThat(notices())
                .containsExactly("3 paused by job=j", "0 paused by job=j", "2 paused by job=j", "1 paused by job=j");

        command(ControlAction.RESUME, ControlScope.JOB, "j", 1);

        assertThat(submitted()).containsExactly("4", "0", "1", "2", "3");
        assertThat(notices()).containsExactly("0 resumed", "1 resumed", "2 resumed", "3 resumed");
    }

    @Test
    void shouldLetGoOnWhatRunsWhenItsJobIsPaused() {
        engine.holding(text -> true);
        offer(0, "{\"prompt\":\"a\",\"job_id\":\"j\"}");

        command(ControlAction.PAUSE, ControlScope.JOB, "j", 1);
        engine.release();
        runTasks();

        assertThat(engine.cancelled()).isEmpty();
        assertThat(Objects.requireNonNull(lease.poll()).outcome().label()).isEqualTo("stop");
    }

    @Test
    void shouldHoldWhatWaitsForAnEngineWhenItsJobIsPaused() {
        engine.refuse(new Rejection(Rejection.Reason.QUEUE_FULL, "full"));
        offer(0, "{\"prompt\":\"0\",\"job_id\":\"j\"}");
        offer(1, "{\"prompt\":\"1\"}");

        command(ControlAction.PAUSE, ControlScope.JOB, "j", 1);
        engine.accept();
        runTimers();

        assertThat(submitted()).containsExactly("1");
        assertThat(notices()).containsExactly("0 paused by job=j");
    }

    @Test
    void shouldCancelWhatIsPaused() {
        command(ControlAction.PAUSE, ControlScope.JOB, "j", 1);
        offer(0, "{\"prompt\":\"a\",\"job_id\":\"j\",\"request_id\":\"r\"}");
        offer(1, "{\"prompt\":\"b\",\"job_id\":\"j\"}");

        command(ControlAction.CANCEL, ControlScope.REQUEST, "r", ADMITTED_MS);

        assertThat(failure(lease.poll()).getCode()).isEqualTo(FailureCode.CANCELLED);
        assertThat(lease.poll()).isNull();
        assertThat(notices()).containsExactly("0 paused by job=j", "1 paused by job=j", "0 resumed");
    }

    @Test
    void shouldEndAPausedPromptAtItsDeadline() {
        command(ControlAction.PAUSE, ControlScope.JOB, "j", 1);
        offer(0, "{\"prompt\":\"a\",\"job_id\":\"j\",\"deadline\":" + (ADMITTED_MS + 2000) + "}");

        nanos += Duration.ofMillis(1999).toNanos();
        runTimers();
        assertThat(lease.poll()).isNull();
        nanos += Duration.ofMillis(1).toNanos();
        runTimers();

        InferenceFailure failure = failure(lease.poll());
        assertThat(failure.getCode()).isEqualTo(FailureCode.DEADLINE_EXCEEDED);
        assertThat(failure.getMessage())
                .isEqualTo("deadline=1970-01-01T00:00:07Z, passed before it was given to an engine");
    }

    @Test
    @MatrixRow("hung or slow generation")
    void shouldEndAtItsDeadlineWhatWaitsBehindOthersForAnEngine() {
        engine.refuse(new Rejection(Rejection.Reason.UNAVAILABLE, "down"));
        offer(0, "{\"prompt\":\"a\"}");
        offer(1, "{\"prompt\":\"b\",\"deadline\":" + (ADMITTED_MS + 2000) + "}");
        runTimers();
        assertThat(lease.poll()).isNull();

        nanos += Duration.ofSeconds(2).toNanos();
        runTimers();

        assertThat(failure(lease.poll()).getCode()).isEqualTo(FailureCode.DEADLINE_EXCEEDED);
        assertThat(lease.poll()).isNull();
    }

    @Test
    void shouldNotSubmitWhatIsTooLateAlready() {
        offer(0, "{\"prompt\":\"a\",\"deadline\":" + (ADMITTED_MS - 1) + "}");
        offer(1, "{\"prompt\":\"a\",\"deadline\":-9000000000000000}");
        offer(2, "{\"prompt\":\"far\",\"deadline\":9000000000000000}");

        assertThat(submitted()).containsExactly("far");
        assertThat(failure(lease.poll()).getCode()).isEqualTo(FailureCode.DEADLINE_EXCEEDED);
        assertThat(failure(lease.poll()).getCode()).isEqualTo(FailureCode.DEADLINE_EXCEEDED);
    }

    @Test
    void shouldForgetWhatAClosedTaskHeld() {
        command(ControlAction.PAUSE, ControlScope.JOB, "j", 1);
        offer(0, "{\"prompt\":\"a\",\"job_id\":\"j\"}");
        assertThat(timers).as("it is looked at").isNotEmpty();

        lease.close();
        runTimers();

        assertThat(timers).as("nobody looks any more").isEmpty();
        command(ControlAction.RESUME, ControlScope.JOB, "j", 1);
        assertThat(engine.submitted()).isEmpty();
    }

    private void command(ControlAction action, ControlScope scope, String target, long issuedAtMs) {
        apply(action, scope, target, issuedAtMs);
        intake.commandsChanged();
        runTasks();
    }

    private void apply(ControlAction action, ControlScope scope, String target, long issuedAtMs) {
        assertThat(intake.controls()
                        .apply(ControlCommand.newBuilder()
                                .setCommandId("c-1")
                                .setAction(action)
                                .setScope(scope)
                                .setTarget(target)
                                .setReason("wrong model")
                                .setIssuedAt(Instant.ofEpochMilli(issuedAtMs))
                                .build()))
                .isEmpty();
    }

    private void offer(long offset, String json) {
        assertThat(intake.offer(work(offset, json))).isTrue();
        runTasks();
    }

    private Work work(long offset, String json) {
        byte[] value = json.getBytes(StandardCharsets.UTF_8);
        PendingPrompt prompt = PendingPrompt.admitted(null, new Payload.Raw(value), List.of(), 1, ADMITTED_MS);
        return new Work(lease, new PendingKey(Uuid.ONE_UUID, 0, offset), prompt, "prompts", 1_000);
    }

    private List<String> submitted() {
        return engine.submitted().stream().map(TestEngine::text).toList();
    }

    private List<String> notices() {
        List<String> heard = new ArrayList<>();
        for (TaskLease.Notice notice = lease.hear(); notice != null; notice = lease.hear()) {
            String what = notice instanceof TaskLease.Notice.Paused(Work _, String by) ? "paused by " + by : "resumed";
            heard.add(notice.work().key().offset() + " " + what);
        }
        return heard;
    }

    private static InferenceFailure failure(TaskLease.@Nullable Settled settled) {
        OutRecord failure = Objects.requireNonNull(settled).outcome().records().getFirst();
        assertThat(failure.sink()).isEqualTo(Sink.FAILURES);
        return RecordSerdes.deserializer(InferenceFailure.class, Map.of()).deserialize("failures", failure.value());
    }

    private void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    /** Those that are set now, not those that they set. */
    private void runTimers() {
        for (int left = timers.size(); left > 0; left--) {
            timers.remove().run();
        }
        runTasks();
    }

    private final class ManualThreads implements IntakeThreads {

        @Override
        public void execute(Runnable task) {
            tasks.add(task);
        }

        @Override
        public void after(Duration delay, Runnable task) {
            timers.add(task);
        }

        @Override
        public long nanoTime() {
            return nanos;
        }

        @Override
        public void close() {
            tasks.clear();
        }
    }
}
