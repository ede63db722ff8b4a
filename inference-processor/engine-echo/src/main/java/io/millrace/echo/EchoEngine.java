package io.millrace.echo;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Rejection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers prompts with their own words, at a pace that is configured: a model for tests of all that is around one, and for
 * load tests. It holds to the order, bounds, deadlines and cancellations of a real engine, and computes nothing.
 *
 * <p>Threads: any thread submits, cancels and reads; one engine thread waits for what ends next and calls all callbacks. The
 * lock guards everything and is never held during a callback.
 *
 * <p>Bounds: {@code max_num_seqs} requests run, {@code max_waiting} wait, as many more are about to be told how they ended.
 */
public final class EchoEngine implements InferenceEngine {

    private static final Logger log = LoggerFactory.getLogger(EchoEngine.class);

    /** Longest time between two looks at the clock, each of which counts as a step: so it never seems to stand still. */
    private static final long MOST_BETWEEN_STEPS_NANOS = Duration.ofMillis(100).toNanos();

    private static final Comparator<Flight> BY_END =
            Comparator.comparingLong(Flight::endNanos).thenComparingLong(Flight::number);
    private static final Comparator<Flight> BY_DEADLINE =
            Comparator.comparingLong(Flight::deadlineNanos).thenComparingLong(Flight::number);

    private final EchoOptions options;
    private final ModelInfo model;
    private final LongSupplier clock;
    private final long originNanos; // times count from here, so that they can be compared
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<String, Flight> inFlight = new HashMap<>(); // by id
    private final WaitingLine waiting = new WaitingLine();
    private final TreeSet<Flight> running = new TreeSet<>(BY_END);
    private final TreeSet<Flight> withDeadline = new TreeSet<>(BY_DEADLINE);
    private List<Done> done = new ArrayList<>();
    private final EchoMeter meter = new EchoMeter();
    private State state = State.OPEN;
    private long submissions;

    /** What becomes of submissions. */
    private enum State {
        OPEN,
        BROKEN,
        CLOSED
    }

    /** A completion on its way to its callback. */
    private record Done(Completion completion, Consumer<? super Completion> onCompletion) {}

    EchoEngine(EchoOptions options, LongSupplier clock) {
        this.options = options;
        this.clock = clock;
        model = new ModelInfo(options.name(), options.version(), Optional.empty(), options.maxModelLen());
        originNanos = clock.getAsLong();
        thread = Thread.ofPlatform()
                .name("millrace-echo-" + options.name())
                .daemon()
                .unstarted(this::run);
    }

    /** Starts an engine. */
    public static EchoEngine open(EchoOptions options) {
        EchoEngine engine = new EchoEngine(options, System::nanoTime);
        engine.start();
        log.info(
                "model {}: echo after {} at {} words a second, max_num_seqs={}, max_waiting={}",
                options.name(),
                options.delay(),
                options.tokensPerSecond(),
                options.maxNumSeqs(),
                options.maxWaiting());
        return engine;
    }

    void start() {
        thread.start();
    }

    @Override
    public ModelInfo model() {
        return model;
    }

    @Override
    public Optional<Rejection> submit(InferenceRequest request, Consumer<? super Completion> onCompletion) {
        Reply reply = Echo.to(request, options);
        lock.lock();
        try {
            Optional<Rejection> rejection = rejection(request.id());
            if (rejection.isEmpty()) {
                switch (reply) {
                    case Refused refused -> done.add(new Done(refused.failure(), onCompletion));
                    case Echo echo -> admit(request, echo, onCompletion);
                }
                changed.signal();
            }
            return rejection;
        } finally {
            lock.unlock();
        }
    }

    private Optional<Rejection> rejection(String id) {
        if (state != State.OPEN) {
            return Optional.of(
                    state == State.CLOSED
                            ? new Rejection(Rejection.Reason.CLOSED, "the engine is closed")
                            : new Rejection(Rejection.Reason.UNAVAILABLE, "the engine has failed; its log says why"));
        }
        if (inFlight.containsKey(id)) {
            throw new IllegalArgumentException("id=" + id + ", expected=one that is not in flight");
        }
        boolean isFull = running.size() == options.maxNumSeqs() && waiting.size() >= options.maxWaiting();
        return isFull || done.size() >= options.maxNumSeqs() + options.maxWaiting()
                ? Optional.of(new Rejection(
                        Rejection.Reason.QUEUE_FULL,
                        "waiting=" + waiting.size() + ", expected=fewer than max_waiting=" + options.maxWaiting()))
                : Optional.empty();
    }

    private void admit(InferenceRequest request, Echo echo, Consumer<? super Completion> onCompletion) {
        long now = now();
        long deadline = request.deadline().map(at -> now + nanosUntil(at)).orElse(Long.MAX_VALUE);
        Flight flight =
                new Flight(request, submissions++, echo, request.admittedNanos() - originNanos, deadline, onCompletion);
        inFlight.put(request.id(), flight);
        if (request.deadline().isPresent()) {
            withDeadline.add(flight);
        }
        waiting.add(flight);
        fill(now);
    }

    /** A deadline of another century does not overflow. */
    private static long nanosUntil(Instant at) {
        Duration left = Duration.between(Instant.now(), at);
        Duration most = Duration.ofDays(36_500);
        Duration bounded = left.compareTo(most) > 0 ? most : left;
        return bounded.compareTo(most.negated()) < 0 ? most.negated().toNanos() : bounded.toNanos();
    }

    /** Gives free places to those that wait. */
    private void fill(long now) {
        while (running.size() < options.maxNumSeqs()) {
            Optional<Flight> next = waiting.poll();
            if (next.isEmpty()) {
                return;
            }
            if (running.isEmpty()) {
                meter.step(now, 0); // it was idle until now
            }
            next.get().start(now, options.delay(), options.tokensPerSecond(), running.size() + 1);
            running.add(next.get());
        }
    }

    @Override
    public void cancel(String requestId) {
        locked(() -> {
            Flight flight = inFlight.get(requestId);
            if (flight != null) {
                fail(flight, FailureCode.CANCELLED, "cancelled on request", now());
                changed.signal();
            }
        });
    }

    @Override
    public void setPriority(String requestId, int priority) {
        locked(() -> {
            Flight flight = inFlight.get(requestId);
            if (flight != null && waiting.remove(flight)) {
                flight.setPriority(priority);
                waiting.add(flight);
            }
        });
    }

    @Override
    public int generatedTokens(String requestId) {
        lock.lock();
        try {
            Flight flight = inFlight.get(requestId);
            return flight == null ? 0 : flight.tokensAt(now());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean isBroken() {
        lock.lock();
        try {
            return state == State.BROKEN;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public EngineStats stats() {
        lock.lock();
        try {
            return meter.stats(state == State.OPEN, running.size(), waiting.size());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        locked(() -> {
            state = State.CLOSED;
            changed.signal();
        });
        if (Thread.currentThread() != thread) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void run() {
        try {
            for (List<Done> batch = next(); !batch.isEmpty(); batch = next()) {
                batch.forEach(this::tell);
            }
        } catch (InterruptedException | RuntimeException | Error e) {
            locked(() -> state = state == State.OPEN ? State.BROKEN : state);
            log.error("engine {} failed: it takes and completes nothing more", model.name(), e);
        }
    }

    private void tell(Done each) {
        if (!stats().healthy()) {
            return; // closed meanwhile, maybe by a callback
        }
        try {
            each.onCompletion().accept(each.completion());
        } catch (RuntimeException e) {
            log.error("the callback of request {} threw", each.completion().requestId(), e);
        }
    }

    /** Waits for what ends next; nothing once the engine is closed. */
    private List<Done> next() throws InterruptedException {
        lock.lock();
        try {
            while (state == State.OPEN) {
                step(now());
                if (!done.isEmpty()) {
                    List<Done> batch = done;
                    done = new ArrayList<>();
                    return batch;
                }
                var _ = changed.awaitNanos(nanosUntilNextStep());
            }
            return List.of();
        } finally {
            lock.unlock();
        }
    }

    private long nanosUntilNextStep() {
        if (inFlight.isEmpty()) {
            return Long.MAX_VALUE;
        }
        long next = now() + MOST_BETWEEN_STEPS_NANOS;
        next = running.isEmpty() ? next : Math.min(next, running.getFirst().endNanos());
        next = withDeadline.isEmpty()
                ? next
                : Math.min(next, withDeadline.getFirst().deadlineNanos());
        return next - now();
    }

    /** What has ended by now. A place that falls free is given away at once. */
    private void step(long now) {
        meter.step(now, running.size());
        while (!withDeadline.isEmpty() && withDeadline.getFirst().deadlineNanos() <= now) {
            Flight flight = withDeadline.getFirst();
            String where = flight.isRunning() ? "running" : "waiting";
            String message = "deadline=" + flight.request().deadline().orElseThrow() + ", passed while " + where;
            fail(flight, FailureCode.DEADLINE_EXCEEDED, message, now);
        }
        while (!running.isEmpty() && running.getFirst().endNanos() <= now) {
            Flight flight = running.getFirst();
            end(flight, flight.completed(model), flight.usageAt(flight.endNanos()), now);
        }
    }

    private void fail(Flight flight, FailureCode code, String message, long now) {
        end(flight, flight.failed(code, message, now), flight.usageAt(now), now);
    }

    private void end(Flight flight, Completion completion, Completion.Usage usage, long now) {
        inFlight.remove(flight.request().id(), flight);
        withDeadline.remove(flight);
        if (!running.remove(flight)) {
            waiting.remove(flight);
        }
        meter.ended(usage);
        done.add(new Done(completion, flight.onCompletion()));
        fill(now);
    }

    private long now() {
        return clock.getAsLong() - originNanos;
    }

    private void locked(Runnable action) {
        lock.lock();
        try {
            action.run();
        } finally {
            lock.unlock();
        }
    }
}
