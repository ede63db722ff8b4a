package io.millrace.llm.runtime;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.engine.Rejection;
import io.millrace.engine.Rejection.Reason;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where submitting threads hand requests to the engine thread, and where the engine thread leaves its counters for them.
 *
 * <p>Threads: any thread reserves, puts, cancels, sets priorities and reads; one engine thread drains, waits and publishes. The monitor guards
 * everything and is held for constant time.
 *
 * <p>Bound: at most max_waiting requests are reserved, here, or waiting in the scheduler without having run; at most
 * max_num_seqs others are in flight. The tickets, the cancellations and the new priorities are no more than all
 * of these.
 */
final class Inbox {

    private final int maxWaiting;
    private final Map<String, Ticket> inFlight = new HashMap<>(); // by id
    private final Deque<Arrival> arrivals = new ArrayDeque<>();
    private final List<Ticket> cancellations = new ArrayList<>();
    private final Set<Ticket> reprioritized = new LinkedHashSet<>();
    private State state = State.OPEN;
    private int reserved;
    private int handedOver; // to the engine thread since it last published
    private EngineStats stats = new EngineStats(true, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    Inbox(int maxWaiting) {
        this.maxWaiting = maxWaiting;
    }

    /** What becomes of submissions. */
    private enum State {
        OPEN,
        BROKEN,
        CLOSED
    }

    /** One submission: what tells it from a later one of the same id. */
    static final class Ticket {
        private final String id;
        private volatile boolean cancelled;
        private volatile @Nullable Integer newPriority;
        private volatile int generatedTokens; // written by the engine thread

        Ticket(String id) {
            this.id = id;
        }

        String id() {
            return id;
        }

        boolean isCancelled() {
            return cancelled;
        }

        /** The priority that was set last; {@code ofRequest} where none was. */
        int priority(int ofRequest) {
            Integer priority = newPriority;
            return priority == null ? ofRequest : priority;
        }

        void generated(int tokens) {
            generatedTokens = tokens;
        }
    }

    /** A request that was looked at, on its way to the engine thread. */
    record Arrival(Ticket ticket, Admission.Outcome outcome, Consumer<? super Completion> onCompletion) {}

    /**
     * What the engine thread has to do.
     *
     * @param cancellations of requests that were in flight; a request's cancellation may come before it does
     * @param reprioritized requests with a new priority; it may come before the request does
     */
    record Mail(List<Arrival> arrivals, List<Ticket> cancellations, List<Ticket> reprioritized) {}

    /**
     * Takes a place for a request, which {@link #put} fills or {@link #release} gives back.
     *
     * @return why there is none, if so
     * @throws IllegalArgumentException when the id is in flight
     */
    synchronized Optional<Rejection> reserve(Ticket ticket) {
        switch (state) {
            case CLOSED -> {
                return Optional.of(new Rejection(Reason.CLOSED, "the engine is closed"));
            }
            case BROKEN -> {
                return Optional.of(new Rejection(Reason.UNAVAILABLE, "the engine has failed; its log says why"));
            }
            case OPEN -> {}
        }
        if (waiting() >= maxWaiting) {
            String message = "waiting=" + waiting() + ", expected=fewer than max_waiting=" + maxWaiting;
            return Optional.of(new Rejection(Reason.QUEUE_FULL, message));
        }
        if (inFlight.putIfAbsent(ticket.id(), ticket) != null) {
            throw new IllegalArgumentException("id=" + ticket.id() + ", expected=an id that no request in flight has");
        }
        reserved++;
        return Optional.empty();
    }

    synchronized void release(Ticket ticket) {
        reserved--;
        inFlight.remove(ticket.id(), ticket);
    }

    synchronized void put(Arrival arrival) {
        reserved--;
        arrivals.add(arrival);
        notifyAll();
    }

    /** Asks the engine thread to stop work on a request. Its id is free at once. */
    synchronized void cancel(String id) {
        Ticket ticket = inFlight.remove(id);
        if (ticket != null) {
            ticket.cancelled = true;
            cancellations.add(ticket);
            notifyAll();
        }
    }

    /** Asks the engine thread to put a request elsewhere in its order. */
    synchronized void setPriority(String id, int priority) {
        Ticket ticket = inFlight.get(id);
        if (ticket != null) {
            ticket.newPriority = priority;
            reprioritized.add(ticket);
        }
    }

    /** Tokens that a request in flight has so far; 0 for unknown ids. */
    synchronized int generatedTokens(String id) {
        Ticket ticket = inFlight.get(id);
        return ticket == null ? 0 : ticket.generatedTokens;
    }

    /** What has come since the last time. */
    synchronized Mail drain() {
        Mail mail = new Mail(new ArrayList<>(arrivals), new ArrayList<>(cancellations), new ArrayList<>(reprioritized));
        handedOver += arrivals.size();
        arrivals.clear();
        cancellations.clear();
        reprioritized.clear();
        return mail;
    }

    /** Waits until there is something to drain, or the inbox is closed. */
    synchronized void await() throws InterruptedException {
        while (arrivals.isEmpty() && cancellations.isEmpty() && state == State.OPEN) {
            wait();
        }
    }

    /**
     * Makes the engine thread's counters visible.
     *
     * @param current with what waits in the scheduler as {@code waiting}
     * @param done tickets of requests that are in flight no more
     */
    synchronized void publish(EngineStats current, List<Ticket> done) {
        stats = current;
        handedOver = 0;
        done.forEach(ticket -> inFlight.remove(ticket.id(), ticket));
        cancellations.removeAll(done);
        done.forEach(reprioritized::remove);
    }

    synchronized EngineStats stats() {
        return new EngineStats(
                state == State.OPEN,
                stats.running(),
                waiting(),
                stats.kvCacheUsage(),
                stats.promptTokensTotal(),
                stats.generationTokensTotal(),
                stats.stepsTotal(),
                stats.stepSequencesTotal(),
                stats.stepTokensTotal(),
                stats.busyNanosTotal(),
                stats.preemptionsTotal(),
                stats.budgetShrinksTotal(),
                stats.tokenBudget());
    }

    synchronized boolean isOpen() {
        return state == State.OPEN;
    }

    synchronized boolean isBroken() {
        return state == State.BROKEN;
    }

    /** The engine thread is gone: nothing more is taken. */
    synchronized void fail() {
        if (state == State.OPEN) {
            state = State.BROKEN;
        }
    }

    /** Nothing more is taken, and the engine thread is woken to end. */
    synchronized void close() {
        state = State.CLOSED;
        notifyAll();
    }

    private int waiting() {
        return reserved + arrivals.size() + handedOver + stats.waiting();
    }
}
