package io.millrace.streams.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.millrace.engine.EngineStats;
import io.millrace.streams.app.ProcessorStatus;
import io.millrace.streams.gate.Closure;
import java.time.Duration;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** Gauges of the application's status. One scrape reads one snapshot, so that its numbers fit together. */
final class StatusGauges {
    private static final long SNAPSHOT_NANOS = Duration.ofMillis(100).toNanos();

    private final Supplier<ProcessorStatus> source;
    private final LongSupplier nanoClock;
    private @Nullable ProcessorStatus snapshot;
    private long snapshotNanos;

    StatusGauges(Supplier<ProcessorStatus> source, LongSupplier nanoClock) {
        this.source = source;
        this.nanoClock = nanoClock;
    }

    void bindTo(MeterRegistry registry, Set<String> models) {
        gauge(
                registry,
                "millrace.num.requests.pending",
                "Prompts pending in this instance, without the paused ones.",
                ProcessorStatus::pending);
        gauge(
                registry,
                "millrace.pending.bytes",
                "Bytes of prompts pending in this instance.",
                ProcessorStatus::pendingBytes);
        gauge(
                registry,
                "millrace.num.requests.paused",
                "Prompts of this instance that wait for a RESUME; not among the pending ones.",
                ProcessorStatus::paused);
        gauge(
                registry,
                "millrace.max.pending",
                "Pending prompts at which fetching stops.",
                status -> status.limits().maxPending());
        gauge(
                registry,
                "millrace.gate.open",
                "1 while prompts are fetched.",
                status -> oneIf(status.closures().isEmpty()));
        gauge(registry, "millrace.ready", "1 while prompts are taken.", status -> oneIf(status.isReady()));
        for (Closure.Reason reason : Closure.Reason.values()) {
            Gauge.builder(
                            "millrace.gate.closed",
                            this,
                            gauges -> oneIf(gauges.status().closures().stream()
                                    .anyMatch(closure -> closure.reason() == reason)))
                    .description("1 while the gate is closed for this reason.")
                    .tags("reason", reason.name())
                    .strongReference(true)
                    .register(registry);
        }
        models.forEach(model -> bindEngine(registry, model));
    }

    private void bindEngine(MeterRegistry registry, String model) {
        Engine engine = new Engine(registry, model);
        engine.gauge("millrace.num.requests.running", "Requests in the batch.", EngineStats::running);
        engine.gauge(
                "millrace.num.requests.waiting", "Requests that wait for a place in the batch.", EngineStats::waiting);
        engine.gauge(
                "millrace.kv.cache.usage.perc", "Fraction of KV blocks in use, 0 to 1.", EngineStats::kvCacheUsage);
        engine.gauge("millrace.engine.healthy", "1 while steps complete.", stats -> oneIf(stats.healthy()));
        engine.counter(
                "millrace.num.preemptions", "Times a sequence lost its KV blocks.", EngineStats::preemptionsTotal);
        engine.counter("millrace.engine.steps", "Steps completed.", EngineStats::stepsTotal);
        engine.counter(
                "millrace.engine.step.sequences",
                "Sequences, summed over steps; divided by the steps: the batch size.",
                EngineStats::stepSequencesTotal);
        engine.counter(
                "millrace.engine.step.tokens",
                "Tokens, summed over steps; divided by the steps: the tokens of a batch.",
                EngineStats::stepTokensTotal);
        engine.counter(
                "millrace.engine.prompt.tokens",
                "Prompt tokens computed, with those computed again.",
                EngineStats::promptTokensTotal);
        engine.counter(
                "millrace.engine.generation.tokens",
                "Tokens generated, with those of prompts that have not ended.",
                EngineStats::generationTokensTotal);
        engine.gauge(
                "millrace.engine.token.budget",
                "Most tokens of a step; less than configured for a while after memory was exhausted.",
                EngineStats::tokenBudget);
        engine.counter(
                "millrace.engine.budget.shrinks",
                "Times that steps were made smaller because memory was exhausted.",
                EngineStats::budgetShrinksTotal);
        engine.counter("millrace.engine.busy.seconds", "Time spent in steps.", stats -> stats.busyNanosTotal() / 1e9);
    }

    private void gauge(MeterRegistry registry, String name, String doc, ToDoubleFunction<ProcessorStatus> value) {
        Gauge.builder(name, this, gauges -> value.applyAsDouble(gauges.status()))
                .description(doc)
                .strongReference(true)
                .register(registry);
    }

    private static double oneIf(boolean condition) {
        return condition ? 1 : 0;
    }

    private synchronized ProcessorStatus status() {
        long now = nanoClock.getAsLong();
        ProcessorStatus current = snapshot;
        if (current == null || now - snapshotNanos > SNAPSHOT_NANOS) {
            current = source.get();
            snapshot = current;
            snapshotNanos = now;
        }
        return current;
    }

    /** Meters of one engine. */
    private final class Engine {
        private final MeterRegistry registry;
        private final String model;

        private Engine(MeterRegistry registry, String model) {
            this.registry = registry;
            this.model = model;
        }

        private void gauge(String name, String doc, ToDoubleFunction<EngineStats> value) {
            Gauge.builder(name, this, engine -> engine.read(value))
                    .description(doc)
                    .tags(Tags.of("model_name", model))
                    .strongReference(true)
                    .register(registry);
        }

        private void counter(String name, String doc, ToDoubleFunction<EngineStats> value) {
            // the registry holds a counter's source weakly; the gauges hold this one
            FunctionCounter.builder(name, this, engine -> engine.read(value))
                    .description(doc)
                    .tags(Tags.of("model_name", model))
                    .register(registry);
        }

        private double read(ToDoubleFunction<EngineStats> value) {
            EngineStats stats = status().engines().get(model);
            return stats == null ? Double.NaN : value.applyAsDouble(stats);
        }
    }
}
