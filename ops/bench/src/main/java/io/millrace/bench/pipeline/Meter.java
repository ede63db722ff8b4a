package io.millrace.bench.pipeline;

import com.sun.management.OperatingSystemMXBean;
import io.millrace.engine.EngineStats;
import io.millrace.engine.InferenceEngine;
import io.millrace.streams.ProcessorObserver;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;

/** What a run used: engine steps, CPU time of this JVM and of the broker, commits. */
final class Meter implements ProcessorObserver {

    private static final double NANOS_PER_SECOND = 1e9;
    private static final double NANOS_PER_MILLI = 1e6;

    /**
     * What it comes to.
     *
     * @param generatedTokens tokens that the engine generated
     * @param meanBatch sequences of a step, on average
     * @param busyFraction part of the time in which the engine was in a step
     * @param jvmCpuSeconds CPU time of the JVM that has the engine, the processor, and who sends and reads
     * @param brokerCpuSeconds CPU time of the broker
     * @param commits transactions committed
     * @param commitMs mean time of one
     */
    record Use(
            long generatedTokens,
            double meanBatch,
            double busyFraction,
            double jvmCpuSeconds,
            double brokerCpuSeconds,
            long commits,
            double commitMs) {}

    private record Snapshot(EngineStats engine, long nanos, double jvm, double broker) {}

    private final InferenceEngine engine;
    private final BenchKafka kafka;
    private final AtomicLong commits = new AtomicLong();
    private final AtomicLong commitNanos = new AtomicLong();
    private Snapshot start;

    Meter(InferenceEngine engine, BenchKafka kafka) {
        this.engine = engine;
        this.kafka = kafka;
        this.start = snapshot();
    }

    /** From here on it counts. */
    void start() {
        commits.set(0);
        commitNanos.set(0);
        start = snapshot();
    }

    Use stop() {
        Snapshot end = snapshot();
        long steps = end.engine.stepsTotal() - start.engine.stepsTotal();
        long sequences = end.engine.stepSequencesTotal() - start.engine.stepSequencesTotal();
        long count = commits.get();
        return new Use(
                end.engine.generationTokensTotal() - start.engine.generationTokensTotal(),
                steps == 0 ? 0 : (double) sequences / steps,
                (double) (end.engine.busyNanosTotal() - start.engine.busyNanosTotal()) / (end.nanos - start.nanos),
                end.jvm - start.jvm,
                end.broker - start.broker,
                count,
                count == 0 ? 0 : commitNanos.get() / NANOS_PER_MILLI / count);
    }

    @Override
    public void committed(long nanos) {
        commits.incrementAndGet();
        commitNanos.addAndGet(nanos);
    }

    private Snapshot snapshot() {
        var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        return new Snapshot(
                engine.stats(), System.nanoTime(), system.getProcessCpuTime() / NANOS_PER_SECOND, kafka.cpuSeconds());
    }
}
