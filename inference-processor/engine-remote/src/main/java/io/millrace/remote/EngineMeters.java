package io.millrace.remote;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.remote.protocol.Fault;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

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

    private final List<Map<String, OfEndpoint>> bound = new CopyOnWriteArrayList<>(); // a map for each registry
    private final AtomicLong parts = new AtomicLong();
    private final AtomicLong partSequences = new AtomicLong();
    private volatile int running;
    private long busySinceNanos;
    private long busyNanos;
    private long promptTokens;
    private long generationTokens;

    private record OfEndpoint(Timer firstToken, Timer total, Counter retries, Map<Fault.Kind, Counter> errors) {
        Counter error(Fault.Kind kind) {
            return Objects.requireNonNull(errors.get(kind), kind.name());
        }
    }

    /** Counts and times there, too, from now on. */
    void bindTo(MeterRegistry registry, String model, List<String> endpoints) {
        Map<String, OfEndpoint> byEndpoint = new HashMap<>();
        for (String endpoint : endpoints) {
            byEndpoint.put(endpoint, ofEndpoint(registry, Tags.of("model_name", model, "endpoint", endpoint)));
        }
        bound.add(byEndpoint);
    }

    private static OfEndpoint ofEndpoint(MeterRegistry registry, Tags labels) {
        Map<Fault.Kind, Counter> errors = new EnumMap<>(Fault.Kind.class);
        for (Fault.Kind kind : Fault.Kind.values()) {
            errors.put(
                    kind,
                    Counter.builder("millrace.remote.errors")
                            .description("Attempts without an answer, by what went wrong.")
                            .tags(labels.and("kind", kind.name().toLowerCase(Locale.ROOT)))
                            .register(registry));
        }
        Counter retries = Counter.builder("millrace.remote.retries")
                .description("Attempts that failed and are made again.")
                .tags(labels)
                .register(registry);
        return new OfEndpoint(
                timer(registry, "millrace.remote.time.to.first.token", "Time from sending to the first token.", labels),
                timer(registry, "millrace.remote.request", "Time from sending to the end of the answer.", labels),
                retries,
                errors);
    }

    private static Timer timer(MeterRegistry registry, String name, String description, Tags labels) {
        return Timer.builder(name)
                .description(description)
                .tags(labels)
                .serviceLevelObjectives(LATENCY)
                .register(registry);
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
        long firstToken = attempt.hasToken() ? attempt.firstTokenNanos() : nowNanos;
        each(attempt.endpoint().name(), meters -> {
            meters.firstToken().record(firstToken - attempt.sentNanos(), TimeUnit.NANOSECONDS);
            meters.total().record(nowNanos - attempt.sentNanos(), TimeUnit.NANOSECONDS);
        });
    }

    void fault(String endpoint, Fault.Kind kind) {
        each(endpoint, meters -> meters.error(kind).increment());
    }

    void retry(String endpoint) {
        each(endpoint, meters -> meters.retries().increment());
    }

    private void each(String endpoint, Consumer<OfEndpoint> use) {
        for (Map<String, OfEndpoint> byEndpoint : bound) {
            use.accept(Objects.requireNonNull(byEndpoint.get(endpoint), endpoint));
        }
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
