package io.millrace.remote;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.remote.protocol.Fault;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Totals since the start, and the meters of each endpoint.
 *
 * <p>Threads: the dispatcher's monitor guards it, but for {@link #part}, which any thread may call.
 */
final class EngineMeters {

    /** 5 ms to 10 minutes: from the first token of a short prompt to the last of a long answer. */
    private static final Duration[] LATENCY = {
        Duration.ofMillis(5), Duration.ofMillis(10), Duration.ofMillis(25), Duration.ofMillis(50),
        Duration.ofMillis(100), Duration.ofMillis(250), Duration.ofMillis(500), Duration.ofSeconds(1),
        Duration.ofMillis(2500), Duration.ofSeconds(5), Duration.ofSeconds(10), Duration.ofSeconds(30),
        Duration.ofMinutes(1), Duration.ofMinutes(2), Duration.ofMinutes(5), Duration.ofMinutes(10)
    };

    private final CompositeMeterRegistry registry = new CompositeMeterRegistry();
    private final Map<String, OfEndpoint> byEndpoint = new HashMap<>();
    private final AtomicLong parts = new AtomicLong();
    private final AtomicLong partSequences = new AtomicLong();
    private volatile int running;
    private long busySinceNanos;
    private long busyNanos;
    private long promptTokens;
    private long generationTokens;

    private record OfEndpoint(Timer firstToken, Timer total, Counter retries, Map<Fault.Kind, Counter> errors) {}

    /** An endpoint's meters, from now on. */
    void endpoint(String model, String endpoint) {
        Tags labels = Tags.of("model_name", model, "endpoint", endpoint);
        Map<Fault.Kind, Counter> errors = new HashMap<>();
        for (Fault.Kind kind : Fault.Kind.values()) {
            errors.put(
                    kind,
                    Counter.builder("millrace.remote.errors")
                            .description("Attempts without an answer, by what went wrong.")
                            .tags(labels.and("kind", kind.name().toLowerCase(Locale.ROOT)))
                            .register(registry));
        }
        byEndpoint.put(
                endpoint,
                new OfEndpoint(
                        timer("millrace.remote.time.to.first.token", "Time from sending to the first token.", labels),
                        timer("millrace.remote.request", "Time from sending to the end of the answer.", labels),
                        Counter.builder("millrace.remote.retries")
                                .description("Attempts that failed and are made again.")
                                .tags(labels)
                                .register(registry),
                        errors));
    }

    private Timer timer(String name, String description, Tags labels) {
        return Timer.builder(name)
                .description(description)
                .tags(labels)
                .serviceLevelObjectives(LATENCY)
                .register(registry);
    }

    /** Shows the meters there, too. */
    void bindTo(MeterRegistry other) {
        registry.add(other);
    }

    /** So many requests run since now. */
    void running(int requests, long nowNanos) {
        if (running == 0) {
            busySinceNanos = nowNanos;
        } else if (requests == 0) {
            busyNanos += nowNanos - busySinceNanos;
        }
        running = requests;
    }

    /** Parts of an answer have come. */
    void part(int count) {
        parts.addAndGet(count);
        partSequences.addAndGet((long) count * running);
    }

    void answered(Attempt attempt, Completion.Completed completed, long nowNanos) {
        promptTokens += completed.usage().promptTokens();
        generationTokens += completed.usage().completionTokens();
        OfEndpoint meters = of(attempt.endpoint().name());
        long firstToken = attempt.hasToken() ? attempt.firstTokenNanos() : nowNanos;
        meters.firstToken().record(firstToken - attempt.sentNanos(), TimeUnit.NANOSECONDS);
        meters.total().record(nowNanos - attempt.sentNanos(), TimeUnit.NANOSECONDS);
    }

    void fault(String endpoint, Fault.Kind kind) {
        Counter counter = of(endpoint).errors().get(kind);
        if (counter != null) {
            counter.increment();
        }
    }

    void retry(String endpoint) {
        of(endpoint).retries().increment();
    }

    private OfEndpoint of(String endpoint) {
        OfEndpoint meters = byEndpoint.get(endpoint);
        if (meters == null) {
            throw new IllegalStateException("endpoint=" + endpoint + ", expected=one that was registered");
        }
        return meters;
    }

    EngineStats stats(boolean healthy, int runningNow, int waiting, double tokenUsage, long nowNanos) {
        long steps = parts.get();
        return new EngineStats(
                healthy,
                runningNow,
                waiting,
                tokenUsage,
                promptTokens,
                generationTokens,
                steps,
                partSequences.get(),
                steps,
                busyNanos + (running > 0 ? nowNanos - busySinceNanos : 0),
                0,
                0,
                0);
    }
}
