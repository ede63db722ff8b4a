package io.millrace.streams.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.millrace.engine.Completion;
import io.millrace.schemas.ControlAction;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.app.ProcessorStatus;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.records.Outcome;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.kafka.streams.KafkaStreams;
import org.jspecify.annotations.Nullable;

/**
 * Counters and histograms of what happens, and gauges of how things are. Names are vLLM's with our prefix where vLLM has the
 * thing. A prompt is counted when its ending is forwarded; should that transaction be aborted, it is counted again with the next.
 *
 * <p>Time series are bounded: label {@code model_name} by the models served, {@code tenant} by {@link TenantLabels}.
 *
 * <p>Threads: any. {@link #scrape} runs beside everything else.
 */
public final class PrometheusMetrics implements ProcessorObserver, AutoCloseable {
    /** Of prompts whose model is not served here, or could not be read. */
    static final String UNKNOWN_MODEL = "unknown";

    private static final Set<String> FINISHED = finishReasons();

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Deque<AutoCloseable> binders = new ArrayDeque<>();
    private final Set<String> models;
    private final TenantLabels tenants;
    private final Counter admitted;
    private final Counter recovered;
    private final Counter quarantined;
    private final Counter strikes;
    private final Counter orphaned;
    private final Counter orphansExpired;
    private final Counter deadLetters;
    private final Counter commandsSkipped;
    private final Counter threadsReplaced;
    private final Timer commits;

    /**
     * @param models names of the models served
     * @param maxTenants most values of the label {@code tenant}
     */
    public PrometheusMetrics(Collection<String> models, int maxTenants) {
        this.models = Set.copyOf(models);
        this.tenants = new TenantLabels(maxTenants);
        this.admitted = counter("millrace.prompts.admitted", "Prompts read from their topic.");
        this.recovered =
                counter("millrace.prompts.recovered", "Prompts found in a restored pending store and submitted again.");
        this.quarantined = counter(
                "millrace.prompts.quarantined",
                "Recovered prompts suspected of killing the process: run with few others, or alone.");
        this.strikes = counter("millrace.strikes", "Times the process that ran a prompt alone has died.");
        this.orphaned = counter(
                "millrace.runs.orphaned", "Requests in engines that lost their owner, since its task was closed.");
        this.orphansExpired =
                counter("millrace.runs.expired", "Orphaned requests that were cancelled: nobody took them over.");
        this.deadLetters = counter("millrace.dead.letters", "Records that could not be decoded.");
        this.commandsSkipped =
                counter("millrace.control.skipped", "Records of the control topic that make no command.");
        this.threadsReplaced = counter(
                "millrace.stream.threads.replaced", "Stream threads that died of an exception and were replaced.");
        this.commits = Timer.builder("millrace.commit")
                .description("Time of a transaction's commit.")
                .serviceLevelObjectives(Buckets.COMMIT)
                .register(registry);
        bindJvm();
    }

    private void bindJvm() {
        JvmGcMetrics gc = new JvmGcMetrics();
        binders.push(gc);
        gc.bindTo(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
    }

    /** Shows pending, gate and engines from now on. Call once, when the application runs. */
    public void watch(Supplier<ProcessorStatus> status) {
        new StatusGauges(status, System::nanoTime).bindTo(registry, new TreeSet<>(models));
    }

    /** Shows what an engine measures itself from now on. */
    public void bind(MeterBinder engine) {
        engine.bindTo(registry);
    }

    /** Shows Kafka's own metrics from now on: consumer lag, commit and transaction times, restoration. Call once. */
    public void watch(KafkaStreams streams) {
        KafkaStreamsMetrics kafka = new KafkaStreamsMetrics(streams);
        binders.push(kafka);
        kafka.bindTo(registry);
    }

    /** All metrics in Prometheus' text format 0.0.4. */
    public String scrape() {
        return registry.scrape();
    }

    @Override
    public void admitted() {
        admitted.increment();
    }

    @Override
    public void recovered(int prompts) {
        recovered.increment(prompts);
    }

    @Override
    public void quarantined() {
        quarantined.increment();
    }

    @Override
    public void struck() {
        strikes.increment();
    }

    @Override
    public void orphaned(int runs) {
        orphaned.increment(runs);
    }

    @Override
    public void adopted(String model, int generatedTokens) {
        Tags labels = Tags.of("model_name", model(model));
        counter("millrace.runs.adopted", "Orphaned requests that a new owner took over.", labels)
                .increment();
        counter(
                        "millrace.adopted.generation.tokens",
                        "Tokens that adoption saved: they need not be generated again.",
                        labels)
                .increment(generatedTokens);
    }

    @Override
    public void orphanExpired() {
        orphansExpired.increment();
    }

    @Override
    public void settled(Outcome outcome) {
        if (outcome.label().equals(Outcome.DEAD_LETTER)) {
            deadLetters.increment();
            return;
        }
        Tags labels = Tags.of("model_name", model(outcome.model()), "tenant", tenants.of(outcome.tenant()));
        if (FINISHED.contains(outcome.label())) {
            counter("millrace.request.success", "Prompts answered.", labels.and("finished_reason", outcome.label()))
                    .increment();
        } else {
            counter(
                            "millrace.request.failure",
                            "Prompts that got a failure record.",
                            labels.and("code", outcome.label()))
                    .increment();
        }
        outcome.usage().ifPresent(usage -> count(usage, labels));
        outcome.timings().ifPresent(timings -> record(timings, outcome.usage().orElse(null), labels));
    }

    private void count(Completion.Usage usage, Tags labels) {
        counter("millrace.prompt.tokens", "Prompt tokens of prompts that have ended.", labels)
                .increment(usage.promptTokens());
        counter("millrace.generation.tokens", "Tokens generated for prompts that have ended.", labels)
                .increment(usage.completionTokens());
    }

    private void record(Completion.Timings timings, Completion.@Nullable Usage usage, Tags labels) {
        int tokens = usage == null ? 0 : usage.completionTokens();
        timer("millrace.request.queue.time", "From admission to the first step.", labels, Buckets.REQUEST)
                .record(Duration.ofNanos(timings.queueNanos()));
        timer("millrace.e2e.request.latency", "From admission to completion.", labels, Buckets.REQUEST)
                .record(Duration.ofNanos(timings.totalNanos()));
        if (tokens >= 1) {
            timer(
                            "millrace.time.to.first.token",
                            "From admission to the first token.",
                            labels,
                            Buckets.TIME_TO_FIRST_TOKEN)
                    .record(Duration.ofNanos(timings.timeToFirstTokenNanos()));
        }
        if (tokens >= 2) {
            timer(
                            "millrace.inter.token.latency",
                            "Between two tokens, the mean of a request.",
                            labels,
                            Buckets.INTER_TOKEN)
                    .record(Duration.ofNanos(timings.decodeNanos() / (tokens - 1)));
        }
    }

    @Override
    public void rejected(String model) {
        counter(
                        "millrace.engine.rejections",
                        "Times an engine did not take a request yet.",
                        Tags.of("model_name", model(model)))
                .increment();
    }

    @Override
    public void gateClosed(Closure closure) {
        counter(
                        "millrace.gate.closures",
                        "Times the gate was closed.",
                        Tags.of("reason", closure.reason().name()))
                .increment();
    }

    @Override
    public void commandApplied(ControlAction action) {
        counter(
                        "millrace.control.commands",
                        "Commands of the control topic that were read, those of before the start too.",
                        Tags.of("action", action.name()))
                .increment();
    }

    @Override
    public void commandSkipped() {
        commandsSkipped.increment();
    }

    @Override
    public void committed(long nanos) {
        commits.record(Duration.ofNanos(nanos));
    }

    @Override
    public void threadReplaced() {
        threadsReplaced.increment();
    }

    private String model(@Nullable String name) {
        return name != null && models.contains(name) ? name : UNKNOWN_MODEL;
    }

    private Counter counter(String name, String doc) {
        return counter(name, doc, Tags.empty());
    }

    private Counter counter(String name, String doc, Tags labels) {
        return Counter.builder(name).description(doc).tags(labels).register(registry);
    }

    private Timer timer(String name, String doc, Tags labels, Duration[] buckets) {
        return Timer.builder(name)
                .description(doc)
                .tags(labels)
                .serviceLevelObjectives(buckets)
                .register(registry);
    }

    private static Set<String> finishReasons() {
        Set<String> reasons = new TreeSet<>();
        for (Completion.FinishReason reason : Completion.FinishReason.values()) {
            reasons.add(reason.name().toLowerCase(Locale.ROOT));
        }
        return reasons;
    }

    /** Stops the binders' own threads. */
    @Override
    public void close() {
        while (!binders.isEmpty()) {
            close(binders.pop());
        }
        registry.close();
    }

    private static void close(AutoCloseable binder) {
        try {
            binder.close();
        } catch (Exception e) {
            throw new IllegalStateException("a metrics binder does not close", e);
        }
    }
}
