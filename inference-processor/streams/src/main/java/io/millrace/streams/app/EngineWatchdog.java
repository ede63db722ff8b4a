package io.millrace.streams.app;

import io.millrace.engine.EngineStats;
import io.millrace.engine.InferenceEngine;
import io.millrace.streams.intake.Models;
import io.millrace.streams.intake.ServedModel;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices an engine that answers no more: it has requests and completes no step for so long, or says itself that it is broken for
 * good. Neither a step that hangs in native code nor an error can be mended from within; another process must take over.
 *
 * <p>Only time that was watched counts: a process that was suspended, or starved of its processor, has not seen its engine
 * stand still meanwhile. An engine without requests may rest for ever, and so may one that {@linkplain
 * InferenceEngine#awaitsServer() waits for its server}: its requests wait with it.
 *
 * <p>Threads: one of its own; {@link #close} from any.
 */
final class EngineWatchdog implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(EngineWatchdog.class);

    /** Longest time between two looks, and a part of the timeout, so that it is met within a quarter. */
    private static final Duration MOST_BETWEEN_CHECKS = Duration.ofSeconds(1);

    private static final int CHECKS_PER_TIMEOUT = 4;

    private final Models models;
    private final Duration timeout;
    private final Duration interval;
    private final LongSupplier nanoClock;
    private final Consumer<Stall> onStall;
    private final Map<String, Watched> watched = new HashMap<>(); // by model
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "millrace-engine-watchdog");
        thread.setDaemon(true);
        return thread;
    });

    /**
     * A watchdog that sleeps until {@link #start}.
     *
     * @param timeout for which an engine with requests may complete no step
     * @param onStall called for each look at an engine that answers no more, so more than once
     */
    EngineWatchdog(Models models, Duration timeout, LongSupplier nanoClock, Consumer<Stall> onStall) {
        this.models = models;
        this.timeout = timeout;
        Duration part = timeout.dividedBy(CHECKS_PER_TIMEOUT);
        this.interval = part.compareTo(MOST_BETWEEN_CHECKS) < 0 ? part : MOST_BETWEEN_CHECKS;
        this.nanoClock = nanoClock;
        this.onStall = onStall;
    }

    /**
     * An engine that answers no more.
     *
     * @param reason for people
     */
    record Stall(String model, InferenceEngine engine, String reason) {
        @Override
        public String toString() {
            return "the engine of model " + model + " " + reason;
        }
    }

    /** What was seen of an engine at the last look. */
    private record Watched(boolean busy, long steps, long atNanos, long stillNanos) {}

    void start() {
        long nanos = interval.toNanos();
        var _ = timer.scheduleWithFixedDelay(this::check, nanos, nanos, TimeUnit.NANOSECONDS);
    }

    /** Looks at each engine once. */
    void check() {
        models.all().forEach((name, model) -> {
            try {
                check(name, model);
            } catch (RuntimeException e) {
                LOG.warn("engine {} could not be looked at", name, e);
            }
        });
    }

    private void check(String name, ServedModel model) {
        InferenceEngine engine = model.engine();
        Optional<String> reason =
                engine.isBroken() ? Optional.of("is broken for good; the log above says why") : still(name, engine);
        reason.ifPresent(why -> onStall.accept(new Stall(name, engine, why)));
    }

    private Optional<String> still(String name, InferenceEngine engine) {
        EngineStats stats = engine.stats();
        long now = nanoClock.getAsLong();
        Watched before = watched.get(name);
        boolean busy = stats.running() + stats.waiting() > 0 && !engine.awaitsServer();
        long stillNanos = 0;
        if (before != null && before.busy() && busy && stats.stepsTotal() == before.steps()) {
            stillNanos = before.stillNanos() + Math.min(now - before.atNanos(), 2 * interval.toNanos());
        }
        watched.put(name, new Watched(busy, stats.stepsTotal(), now, stillNanos));
        return stillNanos < timeout.toNanos()
                ? Optional.empty()
                : Optional.of("has completed no step for " + timeout + ": running=" + stats.running() + ", waiting="
                        + stats.waiting());
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
