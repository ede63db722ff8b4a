package io.millrace.streams.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Rejection;
import io.millrace.engine.SamplingParameters;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.intake.Models;
import io.millrace.streams.intake.ServedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A fake clock, and an engine that is set to anything. */
class EngineWatchdogTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final FakeEngine engine = new FakeEngine();
    private final List<String> stalls = new ArrayList<>();
    private long nanos = Long.MAX_VALUE - Duration.ofSeconds(30).toNanos(); // nanoTime may overflow
    private final EngineWatchdog watchdog = new EngineWatchdog(
            new Models(Map.of("m", new ServedModel(engine, SamplingParameters.DEFAULT)), "m"),
            TIMEOUT,
            () -> nanos,
            stall -> stalls.add(stall.toString()));

    @Test
    void shouldTellOfAnEngineThatHasRequestsAndCompletesNoStep() {
        engine.running = 3;
        engine.waiting = 2;
        watch(60);
        assertThat(stalls).isEmpty();
        watch(1);
        assertThat(stalls)
                .containsExactly("the engine of model m has completed no step for PT1M: running=3, waiting=2");
    }

    @Test
    void shouldTellOfRequestsThatOnlyWait() {
        engine.waiting = 1;
        watch(61);
        assertThat(stalls).hasSize(1);
    }

    @Test
    void shouldNotMindASlowPrefillThatCompletesAStepNowAndThen() {
        engine.running = 1;
        for (int i = 0; i < 20; i++) {
            watch(59);
            engine.steps++;
        }
        assertThat(stalls).isEmpty();
    }

    @Test
    void shouldNotMindAnEngineWithNothingToDo() {
        watch(1000);
        engine.running = 1; // begins only now
        watch(60);
        assertThat(stalls).isEmpty();
        watch(1);
        assertThat(stalls).hasSize(1);
    }

    @Test
    void shouldNotMindAnEngineThatWaitsForItsServer() {
        engine.waiting = 5;
        watch(59);
        engine.awaitsServer = true;
        watch(3_600);
        assertThat(stalls).isEmpty();
        engine.awaitsServer = false; // the server is back
        watch(60);
        assertThat(stalls).isEmpty();
        watch(1);
        assertThat(stalls).as("now it is the engine that stands still").hasSize(1);
    }

    @Test
    void shouldNotCountTimeInWhichTheProcessWasSuspended() {
        engine.running = 1;
        watch(30);
        nanos += Duration.ofHours(3).toNanos();
        watchdog.check();
        watch(27);
        assertThat(stalls).isEmpty();
        watch(3);
        assertThat(stalls).as("what was seen adds up").isNotEmpty();
    }

    @Test
    void shouldTellAtOnceOfAnEngineThatIsBrokenForGood() {
        engine.broken = true;
        watchdog.check();
        assertThat(stalls).containsExactly("the engine of model m is broken for good; the log above says why");
    }

    @Test
    void shouldDumpEngineStateThreadsAndLocksToAFile(@TempDir Path directory) throws IOException {
        ReentrantLock lock = new ReentrantLock();
        lock.lock();
        EngineWatchdog.Stall stall = new EngineWatchdog.Stall("m", engine, "hangs");
        ProcessorStatus status = new ProcessorStatus(
                ProcessorStatus.State.FAILED, Set.of(), 7, 70, 0, new GateLimits(10, 10, 100), Map.of());

        StateDump.write(stall, status, directory);

        try (Stream<Path> files = Files.list(directory)) {
            assertThat(Files.readString(files.findFirst().orElseThrow()))
                    .startsWith("the engine of model m hangs\n\nbatch 42 of 3 sequences\n")
                    .contains("state=FAILED, pending=7, pending_bytes=70, gate closed for []")
                    .contains('"' + Thread.currentThread().getName() + "\" RUNNABLE")
                    .contains("io.millrace.streams.app.StateDump.describe(")
                    .contains("holding java.util.concurrent.locks.ReentrantLock");
        }
    }

    /** The watchdog's own rhythm: a look a second. */
    private void watch(int seconds) {
        for (int i = 0; i < seconds; i++) {
            watchdog.check();
            nanos += Duration.ofSeconds(1).toNanos();
        }
    }

    private static final class FakeEngine implements InferenceEngine {
        private int running;
        private int waiting;
        private long steps;
        private boolean broken;
        private boolean awaitsServer;

        @Override
        public ModelInfo model() {
            return new ModelInfo("m", Optional.empty(), Optional.empty(), 10);
        }

        @Override
        public Optional<Rejection> submit(InferenceRequest request, Consumer<? super Completion> onCompletion) {
            return Optional.empty();
        }

        @Override
        public void cancel(String requestId) {}

        @Override
        public boolean isBroken() {
            return broken;
        }

        @Override
        public boolean awaitsServer() {
            return awaitsServer;
        }

        @Override
        public EngineStats stats() {
            return new EngineStats(!broken, running, waiting, 0, 0, 0, steps, 0, 0, 0, 0, 0, 0);
        }

        @Override
        public String describe() {
            return "batch 42 of 3 sequences";
        }

        @Override
        public void close() {}
    }
}
