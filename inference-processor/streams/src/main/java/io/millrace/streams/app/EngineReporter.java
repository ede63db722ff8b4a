package io.millrace.streams.app;

import io.millrace.engine.EngineStats;
import io.millrace.engine.InferenceEngine;
import io.millrace.schemas.EngineInterval;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.Gate;
import io.millrace.streams.intake.Models;
import io.millrace.streams.intake.ServedModel;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes an {@link EngineInterval} a second for each engine, through a plain producer: what it says is not part of any
 * prompt's transaction. An interval that cannot be written is lost.
 *
 * <p>Threads: one of its own; {@link #close} from any.
 */
final class EngineReporter implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(EngineReporter.class);

    private record Sample(EngineStats stats, Instant at) {}

    private final String instance;
    private final String topic;
    private final Models models;
    private final Gate gate;
    private final Producer<byte[], byte[]> producer;
    private final Serializer<EngineInterval> serializer;
    private final InstantSource clock;
    private final Map<String, Sample> last = new HashMap<>();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "millrace-engine-reporter");
        thread.setDaemon(true);
        return thread;
    });

    EngineReporter(
            String instance,
            String topic,
            Models models,
            Gate gate,
            Producer<byte[], byte[]> producer,
            Serializer<EngineInterval> serializer,
            InstantSource clock) {
        this.instance = instance;
        this.topic = topic;
        this.models = models;
        this.gate = gate;
        this.producer = producer;
        this.serializer = serializer;
        this.clock = clock;
    }

    void start() {
        report();
        var _ = timer.scheduleAtFixedRate(this::report, 1, 1, TimeUnit.SECONDS);
    }

    /** Sends what each engine did since the last call; the first call only remembers. */
    void report() {
        for (Map.Entry<String, ServedModel> model : models.all().entrySet()) {
            try {
                report(model.getKey(), model.getValue().engine());
            } catch (RuntimeException e) {
                LOG.warn("no interval of engine {}: {}", model.getKey(), e.toString());
            }
        }
    }

    private void report(String model, InferenceEngine engine) {
        Sample now = new Sample(engine.stats(), clock.instant());
        Sample before = last.put(model, now);
        if (before == null) {
            return;
        }
        byte[] value = serializer.serialize(topic, interval(model, before, now));
        var _ = producer.send(
                new ProducerRecord<>(topic, instance.getBytes(StandardCharsets.UTF_8), value), (metadata, e) -> {
                    if (e != null) {
                        LOG.warn("interval of engine {} not written: {}", model, e.toString());
                    }
                });
    }

    private EngineInterval interval(String model, Sample before, Sample now) {
        EngineStats from = before.stats();
        EngineStats to = now.stats();
        long durationMs = Math.max(1, now.at().toEpochMilli() - before.at().toEpochMilli());
        long steps = to.stepsTotal() - from.stepsTotal();
        double busy = (to.busyNanosTotal() - from.busyNanosTotal()) / 1e6 / durationMs;
        return EngineInterval.newBuilder()
                .setInstance(instance)
                .setModel(model)
                .setStartedAt(before.at())
                .setDurationMs(durationMs)
                .setSteps(steps)
                .setPromptTokens(to.promptTokensTotal() - from.promptTokensTotal())
                .setGenerationTokens(to.generationTokensTotal() - from.generationTokensTotal())
                .setBatchSizeMean(mean(to.stepSequencesTotal() - from.stepSequencesTotal(), steps))
                .setBatchTokensMean(mean(to.stepTokensTotal() - from.stepTokensTotal(), steps))
                .setBusyFraction(Math.clamp(busy, 0, 1))
                .setRequestsRunning(to.running())
                .setRequestsWaiting(to.waiting())
                .setRequestsPending(gate.pending())
                .setKvCacheUsagePerc(to.kvCacheUsage())
                .setPreemptions(to.preemptionsTotal() - from.preemptionsTotal())
                .setGateClosures(gate.closures().stream().map(Closure::toString).toList())
                .build();
    }

    private static double mean(long sum, long count) {
        return count == 0 ? 0 : (double) sum / count;
    }

    @Override
    public void close() {
        timer.shutdownNow();
        producer.close(java.time.Duration.ofSeconds(1));
    }
}
