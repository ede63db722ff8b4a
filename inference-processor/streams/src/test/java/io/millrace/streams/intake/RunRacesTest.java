package io.millrace.streams.intake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.engine.SamplingParameters;
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
import io.millrace.streams.records.OutcomeEncoder;
import io.millrace.streams.records.OutputSerializers;
import io.millrace.streams.records.OutputTopics;
import io.millrace.streams.records.Sink;
import io.millrace.streams.records.SizeLimits;
import io.millrace.streams.testing.TestEngine;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.RepeatedTest;

/**
 * Completions race with leases that close and open again, and with graces that end: each prompt ends exactly once for
 * whoever owns it last, no owner hears of one twice, and nothing is left behind.
 */
class RunRacesTest {

    private static final int PROMPTS = 40;
    private static final int LIVES = 25;

    private final AtomicInteger adopted = new AtomicInteger();
    private final AtomicInteger expired = new AtomicInteger();

    @RepeatedTest(4)
    void shouldEndEachPromptOnceHoweverItsTaskMoves() {
        long seed = ThreadLocalRandom.current().nextLong();
        Random random = new Random(seed);
        IntakeThreads threads = IntakeThreads.pool(3, (thread, error) -> {
            throw new AssertionError("an intake thread died", error);
        });
        try (TestEngine engine = TestEngine.delayed(Duration.ofMillis(1));
                Intake intake = intake(engine, threads)) {
            Set<Long> pending = new HashSet<>();
            for (long offset = 0; offset < PROMPTS; offset++) {
                pending.add(offset);
            }
            leaveRunning(intake, pending, engine);
            for (int life = 0; life < LIVES && !pending.isEmpty(); life++) {
                // a short life takes few endings, and leaves the others to the next
                live(intake, pending, random.nextInt(3), random.nextInt(2_000_000), "seed " + seed);
            }
            live(intake, pending, PROMPTS, 0, "seed " + seed);
            assertThat(pending).as("seed %s", seed).isEmpty();
            assertThat(adopted.get() + expired.get()).as("seed %s", seed).isPositive();
        }
    }

    /** A life that ends with something in the engine, however quick the machine is: nothing of it is taken. */
    private static void leaveRunning(Intake intake, Set<Long> pending, TestEngine engine) {
        TaskLease lease = intake.lease("0_0", TaskLease.Decision.NONE);
        for (long offset : pending) {
            assertThat(intake.offer(work(lease, offset))).isTrue();
        }
        await().until(() -> !engine.submitted().isEmpty());
        lease.close();
    }

    /** One life of the task: it offers what is pending, takes so many endings, stays a while, and closes. */
    @SuppressWarnings("ModifiedButNotUsed") // removeIf offers them
    private static void live(Intake intake, Set<Long> pending, int endings, int nanos, String seed) {
        TaskLease lease = intake.lease("0_0", TaskLease.Decision.NONE);
        List<Work> deferred = new ArrayList<>();
        for (long offset : pending) {
            Work work = work(lease, offset);
            if (!intake.adopt(work)) {
                deferred.add(work);
            }
        }
        Map<Long, Integer> ended = new HashMap<>();
        int wanted = Math.min(endings, pending.size());
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (ended.size() < wanted && System.nanoTime() < deadline) {
            deferred.removeIf(intake::offer);
            take(lease, ended);
            LockSupport.parkNanos(50_000);
        }
        LockSupport.parkNanos(nanos);
        take(lease, ended);
        assertThat(ended.size()).as("%s: lost", seed).isGreaterThanOrEqualTo(wanted);
        assertThat(ended.values()).as("%s: twice in one life", seed).allMatch(times -> times == 1);
        assertThat(pending).as("%s: ended before", seed).containsAll(ended.keySet());
        pending.removeAll(ended.keySet());
        lease.close();
    }

    private static void take(TaskLease lease, Map<Long, Integer> ended) {
        for (TaskLease.Settled next = lease.poll(); next != null; next = lease.poll()) {
            assertThat(next.outcome().label()).isEqualTo("stop");
            ended.merge(next.work().key().offset(), 1, Integer::sum);
        }
    }

    private static Work work(TaskLease lease, long offset) {
        byte[] value = ("{\"prompt\":\"prompt " + offset + "\"}").getBytes(StandardCharsets.UTF_8);
        PendingPrompt prompt = PendingPrompt.admitted(null, new Payload.Raw(value), List.of(), 1, 2);
        return new Work(lease, new PendingKey(Uuid.ONE_UUID, 0, offset), prompt, "prompts", 0);
    }

    private Intake intake(TestEngine engine, IntakeThreads threads) {
        OutputSerializers serializers = new OutputSerializers(
                new OutputTopics("results", "failures", "metrics", "dead-letters"),
                RecordSerdes.serializer(InferenceResult.class, Map.of()),
                RecordSerdes.serializer(InferenceFailure.class, Map.of()),
                RecordSerdes.serializer(InferenceMetrics.class, Map.of()));
        Map<Sink, Long> bytes = Arrays.stream(Sink.values()).collect(Collectors.toMap(sink -> sink, sink -> 1L << 20));
        ProcessorObserver observer = new ProcessorObserver() {
            @Override
            public void adopted(String model, int generatedTokens) {
                adopted.incrementAndGet();
            }

            @Override
            public void orphanExpired() {
                expired.incrementAndGet();
            }
        };
        return new Intake(
                RecordSerdes.deserializer(PromptRequest.class, Map.of()),
                new Models(Map.of("echo", new ServedModel(engine, SamplingParameters.DEFAULT)), "echo"),
                new OutcomeEncoder(serializers, new SizeLimits(1 << 20, bytes), "i", InstantSource.system()),
                new Gate(new GateLimits(1000, 1000, 1 << 20)),
                observer,
                threads,
                3,
                // about as long as a life: some orphans are adopted, others expire
                Duration.ofMillis(1),
                UUID.randomUUID(),
                other -> CompletableFuture.completedStage(Optional.of(false)));
    }
}
