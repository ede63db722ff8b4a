package io.millrace.streams.intake;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.SamplingParameters;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.schemas.serde.RegistryUnavailableException;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.Gate;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.pending.Payload;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PendingPrompt;
import io.millrace.streams.records.OutcomeEncoder;
import io.millrace.streams.records.OutputSerializers;
import io.millrace.streams.records.OutputTopics;
import io.millrace.streams.records.Sink;
import io.millrace.streams.records.SizeLimits;
import io.millrace.streams.testing.TestEngine;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class IntakeTest {

    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final ArrayDeque<Runnable> timers = new ArrayDeque<>();
    private final TestEngine engine = TestEngine.immediate();
    private final Gate gate = new Gate(new GateLimits(10, 10, 1000));
    private final Serializer<InferenceResult> json = RecordSerdes.serializer(InferenceResult.class, Map.of());
    private Function<InferenceResult, byte[]> resultSerializer = result -> json.serialize("results", result);
    private final Intake intake = intake();
    private final TaskLease lease = intake.lease("0_0", TaskLease.Decision.NONE);

    private Intake intake() {
        OutputSerializers serializers = new OutputSerializers(
                new OutputTopics("results", "failures", "metrics", "dead-letters"),
                (topic, result) -> resultSerializer.apply(result),
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
    void shouldRefuseWhatItHasNoThreadForAndTakeItLater() {
        int taken = 0;
        while (intake.offer(work(taken, "a"))) {
            taken++;
        }
        assertThat(taken).isEqualTo(64);
        assertThat(engine.submitted()).as("nothing on the caller's thread").isEmpty();

        runTasks();
        assertThat(engine.submitted()).hasSize(64);
        assertThat(intake.offer(work(taken, "a"))).isTrue();
    }

    @Test
    void shouldDropWhatWasOfferedForATaskThatIsClosed() {
        intake.offer(work(0, "a"));
        lease.close();
        runTasks();

        assertThat(engine.submitted()).isEmpty();
    }

    @Test
    void shouldKeepAnAnswerUntilTheRegistryTakesItsSchema() {
        resultSerializer = result -> {
            throw new RegistryUnavailableException("registry=nowhere, expected=an answer");
        };
        intake.offer(work(0, "a"));
        intake.offer(work(1, "b"));
        runTasks();

        assertThat(gate.closures()).containsExactly(new Closure(Closure.Reason.REGISTRY, "outputs"));
        assertThat(lease.poll()).isNull();

        resultSerializer = result -> json.serialize("results", result);
        timers.remove().run();
        runTasks();

        assertThat(gate.isClosed()).isFalse();
        assertThat(offsetOf(lease.poll())).isZero();
        assertThat(offsetOf(lease.poll())).isEqualTo(1);
        assertThat(engine.submitted()).as("generated once").hasSize(2);
    }

    @Test
    void shouldFailAnAnswerThatCannotBeWrittenRatherThanStall() {
        resultSerializer = result -> {
            throw new IllegalStateException("broken");
        };
        intake.offer(work(0, "a"));
        runTasks();

        TaskLease.Settled settled = Objects.requireNonNull(lease.poll());
        assertThat(settled.outcome().label()).isEqualTo("ENGINE_ERROR");
        assertThat(gate.isClosed()).isFalse();
    }

    private static long offsetOf(TaskLease.@org.jspecify.annotations.Nullable Settled settled) {
        return Objects.requireNonNull(settled).work().key().offset();
    }

    private Work work(long offset, String text) {
        byte[] value = ("{\"prompt\":\"" + text + "\"}").getBytes(StandardCharsets.UTF_8);
        PendingPrompt prompt = PendingPrompt.admitted(null, new Payload.Raw(value), List.of(), 1, 2);
        return new Work(lease, new PendingKey(Uuid.ONE_UUID, 0, offset), prompt, "prompts", 0);
    }

    private void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
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
        public void close() {
            tasks.clear();
        }
    }
}
