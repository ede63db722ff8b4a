package io.millrace.remote;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.engine.FailureCode;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Rejection;
import io.millrace.engine.Rejection.Reason;
import io.millrace.remote.Attempt.Stop;
import io.millrace.remote.Suspects.Suspect;
import io.millrace.remote.protocol.Fault;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Which request goes where and when, and what becomes of it: waiting → running → completed, or back to waiting when its endpoint
 * was away, or over a pause when its attempt failed. Nothing comes to an end because servers are away; what they fail at alone,
 * while they answer others, does ({@link Suspects}).
 *
 * <p>Threads: any; the monitor guards everything and is held for no longer than it takes to look at all requests.
 *
 * <p>Bound: at most max_waiting requests are accepted beyond those running, of which there are at most max_num_seqs; those that
 * come back from an attempt may exceed the former by the latter.
 */
final class Dispatcher {

    /** A request that was to blame so often has no further attempt. */
    private static final int MOST_STRIKES = 3;

    private final ModelInfo model;
    private final RemoteOptions options;
    private final List<Endpoint> endpoints;
    private final EndpointChoice choice;
    private final BackOff backOff;
    private final RetryBudget retries;
    private final RemoteClock clock;
    private final Actions actions;
    private final EngineMeters meters;
    private final TokenEstimate estimate = new TokenEstimate();
    private final Map<String, Flight> byId = new HashMap<>(); // in flight and not cancelled
    private final Backlog backlog;
    private final Suspects suspects = new Suspects();
    private final Running running;
    private long arrivals;
    private boolean closed;

    /** What the engine does of what is decided here. Neither method may block. */
    interface Actions {
        /** Sends a request; {@link #ended} follows on another thread. */
        void send(Flight flight, Attempt attempt);

        /** Hands a completion to its callback, on another thread. */
        void complete(Flight flight, Completion completion);
    }

    Dispatcher(
            ModelInfo model,
            RemoteOptions options,
            List<Endpoint> endpoints,
            BackOff backOff,
            RemoteClock clock,
            EngineMeters meters,
            Actions actions) {
        this.model = model;
        this.options = options;
        this.endpoints = List.copyOf(endpoints);
        this.backOff = backOff;
        this.clock = clock;
        this.meters = meters;
        this.actions = actions;
        choice = new EndpointChoice(endpoints, options.choice());
        retries = new RetryBudget(options.retries().budget(), clock.nanoTime());
        backlog = new Backlog(retries);
        running = new Running(options.connection());
    }

    /** Why no request is taken now, whichever it is. */
    synchronized Optional<Rejection> refusal() {
        if (closed) {
            return Optional.of(new Rejection(Reason.CLOSED, "the engine is closed"));
        }
        long now = clock.nanoTime();
        List<String> away = endpoints.stream()
                .flatMap(endpoint -> endpoint.whyAway(now).stream())
                .toList();
        if (away.size() == endpoints.size()) {
            return Optional.of(new Rejection(Reason.UNAVAILABLE, String.join("; ", away)));
        }
        int waits = backlog.size();
        return waits < options.maxWaiting()
                ? Optional.empty()
                : Optional.of(new Rejection(
                        Reason.QUEUE_FULL,
                        "waiting=" + waits + ", expected=fewer than max_waiting=" + options.maxWaiting()));
    }

    /**
     * Takes a request, unless there is a {@link #refusal}.
     *
     * @throws IllegalArgumentException when its id is in flight
     */
    synchronized Optional<Rejection> accept(Flight flight) {
        Optional<Rejection> refusal = refusal();
        if (refusal.isPresent()) {
            return refusal;
        }
        String id = flight.request().id();
        if (byId.putIfAbsent(id, flight) != null) {
            throw new IllegalArgumentException("id=" + id + ", expected=an id that no request in flight has");
        }
        flight.arrived(arrivals++);
        backlog.add(flight);
        dispatch();
        return Optional.empty();
    }

    /** Sends what may be sent now, in order. The first in line is not overtaken by a smaller request. */
    private void dispatch() {
        long now = clock.nanoTime();
        for (Optional<Flight> next = backlog.peek(); next.isPresent() && !closed; next = backlog.peek()) {
            Flight flight = next.get();
            if (flight.isOverdue(now)) {
                backlog.removeFirst();
                overdue(flight);
                continue;
            }
            if (running.size() >= options.maxNumSeqs()) {
                return;
            }
            int tokens = estimate.tokens(flight.call().size(), flight.request().sampling());
            Optional<Endpoint> endpoint = choice.choose(flight.call(), tokens, now);
            if (endpoint.isEmpty()) {
                return;
            }
            backlog.removeFirst();
            send(flight, endpoint.get().begin(flight.call(), tokens));
        }
    }

    private void send(Flight flight, Attempt attempt) {
        running.add(flight, attempt);
        meters.running(running.size(), attempt.sentNanos());
        if (flight.sent(attempt)) {
            retries.request();
        }
        actions.send(flight, attempt);
    }

    /** An attempt's first token has come: there may be room for more. */
    synchronized void firstToken(Flight flight, Attempt attempt) {
        attempt.firstToken(clock.nanoTime());
        attempt.endpoint().firstToken(attempt);
        works(flight, attempt);
        dispatch();
    }

    /** A server answers: who stepped aside comes forward, and who is to blame has a strike. */
    private void works(Flight flight, Attempt attempt) {
        backlog.comeForward();
        suspects.answered(flight, attempt).ifPresent(this::strike);
    }

    private void strike(Suspect suspect) {
        Flight flight = suspect.flight();
        flight.strike();
        if (flight.strikes() >= MOST_STRIKES && flight.attempt() == null && isInFlight(flight)) {
            backlog.remove(flight);
            out(flight, suspect.endpoint(), suspect.fault());
        }
    }

    private boolean isInFlight(Flight flight) {
        return flight.equals(byId.get(flight.request().id()));
    }

    /** Ends what a server fails at each time, while it answers others. */
    private void out(Flight flight, Endpoint endpoint, Fault.Away fault) {
        FailureCode code = switch (fault.kind()) {
            case NOT_FOUND, MISCONFIGURED -> FailureCode.INVALID_REQUEST;
            default -> FailureCode.ENGINE_ERROR;
        };
        String message =
                "attempts=" + flight.strikes() + " that failed while others were answered, the last on endpoint "
                        + endpoint.name() + ": " + fault.message();
        fail(flight, code, message, "");
    }

    /** An attempt is over, and its thread does nothing more for it. */
    synchronized void ended(Flight flight, Attempt attempt, Outcome outcome) {
        long now = clock.nanoTime();
        running.remove(flight);
        meters.running(running.size(), now);
        switch (outcome) {
            case Outcome.Answered answered -> answered(flight, attempt, answered, now);
            case Outcome.Faulted faulted ->
                faulted(flight, attempt, Running.told(attempt, faulted.fault()), faulted.partialText(), now);
            case Outcome.Stopped stopped -> stopped(flight, attempt, stopped, now);
        }
        dispatch();
    }

    private void answered(Flight flight, Attempt attempt, Outcome.Answered outcome, long now) {
        attempt.endpoint().answered(attempt, now);
        works(flight, attempt);
        int promptTokens = estimate.promptTokens(flight.call().size());
        estimate.measured(
                flight.call().size(),
                flight.request().sampling(),
                outcome.answer().tokens());
        if (flight.isCancelled()) {
            fail(flight, FailureCode.CANCELLED, "cancelled on request", "");
            return;
        }
        Completion.Completed completed = flight.completed(model, attempt, outcome.answer(), promptTokens, now);
        meters.answered(attempt, completed, now);
        finish(flight, completed);
    }

    private void faulted(Flight flight, Attempt attempt, Fault fault, String partialText, long now) {
        meters.fault(attempt.endpoint().name(), fault.kind());
        switch (fault) {
            case Fault.Away away
            when isNotItsPath(attempt, away) -> {
                attempt.endpoint().stopped(attempt);
                fail(flight, FailureCode.INVALID_REQUEST, away.message(), "");
            }
            case Fault.Away away -> away(flight, attempt, away, now);
            case Fault.Refused refused -> {
                attempt.endpoint().refused(attempt, now);
                works(flight, attempt);
                fail(flight, refused.code(), refused.message(), "");
            }
            case Fault.Broken broken -> {
                attempt.endpoint().broke(attempt, broken, now);
                broke(flight, attempt, broken, partialText, now);
            }
        }
    }

    /** Whether its server is there, and has another path only: one that chats and does not embed, say. */
    private boolean isNotItsPath(Attempt attempt, Fault.Away fault) {
        return fault.kind() == Fault.Kind.NOT_FOUND
                && attempt.endpoint().answers()
                && endpoints.stream().noneMatch(endpoint -> endpoint.answersOn(attempt.path()));
    }

    /** Its endpoint was away: it waits where it stood, or aside if it was the first to find that out. */
    private void away(Flight flight, Attempt attempt, Fault.Away fault, long now) {
        Endpoint endpoint = attempt.endpoint();
        boolean began = endpoint.away(attempt, fault, now);
        if (began) {
            suspects.began(endpoint, flight, fault, now);
        } else {
            suspects.together(endpoint);
            backlog.comeForward(endpoint);
        }
        if (flight.isCancelled() || (flight.strikes() >= MOST_STRIKES && fault.mayBeOfRequest())) {
            out(flight, endpoint, fault);
        } else {
            flight.waitsAgain();
            if (began && fault.kind() != Fault.Kind.CONNECT) {
                backlog.stepAside(endpoint, flight);
            } else {
                backlog.add(flight);
            }
        }
    }

    private void broke(Flight flight, Attempt attempt, Fault.Broken fault, String partialText, long now) {
        flight.failed(now + backOff.nanos(flight.failures() + 1));
        if (flight.failures() < options.retries().maxAttempts() && !flight.isCancelled()) {
            meters.retry(attempt.endpoint().name());
            flight.waitsAgain();
            backlog.addLater(flight);
        } else {
            String message = "attempts=" + flight.failures() + ", the last on endpoint "
                    + attempt.endpoint().name() + ": " + fault.message();
            fail(flight, FailureCode.ENGINE_ERROR, message, partialText);
        }
    }

    private void stopped(Flight flight, Attempt attempt, Outcome.Stopped outcome, long now) {
        Endpoint endpoint = attempt.endpoint();
        switch (outcome.why()) {
            case READ_TIMEOUT, TOTAL_TIMEOUT ->
                faulted(flight, attempt, running.timeout(attempt, outcome.why()), outcome.partialText(), now);
            case DEADLINE -> {
                endpoint.stopped(attempt);
                fail(flight, FailureCode.DEADLINE_EXCEEDED, overdueMessage(flight, "running"), outcome.partialText());
            }
            case CANCELLED -> {
                endpoint.stopped(attempt);
                fail(flight, FailureCode.CANCELLED, "cancelled on request", outcome.partialText());
            }
            case CLOSED -> endpoint.stopped(attempt);
        }
    }

    private void overdue(Flight flight) {
        fail(flight, FailureCode.DEADLINE_EXCEEDED, overdueMessage(flight, "waiting"), "");
    }

    private static String overdueMessage(Flight flight, String state) {
        return "deadline=" + flight.request().deadline().orElseThrow() + ", passed while " + state;
    }

    /** What was cancelled ends so, whatever came of it last. */
    private void fail(Flight flight, FailureCode code, String message, String partialText) {
        boolean cancelled = flight.isCancelled();
        finish(
                flight,
                flight.failed(
                        cancelled ? FailureCode.CANCELLED : code,
                        cancelled ? "cancelled on request" : message,
                        flight.attempt(),
                        partialText,
                        estimate.promptTokens(flight.call().size()),
                        clock.nanoTime()));
    }

    private void finish(Flight flight, Completion completion) {
        byId.remove(flight.request().id(), flight);
        if (!closed) {
            actions.complete(flight, completion);
        }
    }

    /** Frees the id at once; the completion follows when the connection is closed. */
    synchronized void cancel(String id) {
        Flight flight = byId.remove(id);
        if (flight == null) {
            return;
        }
        flight.cancelled();
        Attempt attempt = flight.attempt();
        if (attempt != null) {
            attempt.stop(Stop.CANCELLED);
        } else {
            backlog.remove(flight);
            fail(flight, FailureCode.CANCELLED, "cancelled on request", "");
        }
    }

    synchronized void setPriority(String id, int priority) {
        Flight flight = byId.get(id);
        if (flight != null) {
            backlog.setPriority(flight, priority);
        }
    }

    synchronized int generatedTokens(String id) {
        Flight flight = byId.get(id);
        return flight == null ? 0 : flight.parts();
    }

    /** Sees to everything that time brings. */
    synchronized void tick() {
        if (closed) {
            return;
        }
        long now = clock.nanoTime();
        running.stopDue(now);
        backlog.removeOverdue(now).forEach(this::overdue);
        backlog.comeBack(now);
        dispatch();
    }

    /** Takes nothing more, completes nothing more, and stops what runs: those attempts are returned. */
    synchronized List<Attempt> close() {
        closed = true;
        byId.clear();
        return running.close();
    }

    /** Whether all endpoints are away, or all that runs waits for servers that say nothing: read_timeout ends that. */
    synchronized boolean awaitsServer() {
        long now = clock.nanoTime();
        boolean allAway =
                endpoints.stream().allMatch(endpoint -> endpoint.whyAway(now).isPresent());
        return allAway || running.isSilent(now);
    }

    synchronized EngineStats stats() {
        long now = clock.nanoTime();
        boolean healthy = !closed
                && endpoints.stream().anyMatch(endpoint -> endpoint.whyAway(now).isEmpty());
        return meters.stats(healthy, running.size(), backlog.size(), tokenUsage(), now);
    }

    /** Of the token budgets; 0 where an endpoint has none. */
    private double tokenUsage() {
        if (endpoints.stream()
                .anyMatch(endpoint -> endpoint.server().maxTokensInFlight().isEmpty())) {
            return 0;
        }
        double budget = endpoints.stream()
                .mapToDouble(endpoint -> endpoint.server().maxTokensInFlight().orElseThrow())
                .sum();
        long taken = endpoints.stream().mapToLong(Endpoint::tokensInFlight).sum();
        return Math.min(1, taken / budget);
    }

    /** Lines for people: endpoints, and what is in flight. */
    synchronized String describe() {
        long now = clock.nanoTime();
        String lines = endpoints.stream()
                .map(endpoint -> endpoint.describe(now))
                .collect(Collectors.joining(System.lineSeparator()));
        String requests = running.describe(now);
        return requests.isEmpty() ? lines : lines + System.lineSeparator() + requests;
    }

    /** What {@code read} says of an endpoint, consistent with the rest. */
    synchronized double look(Endpoint endpoint, ToDoubleFunction<Endpoint> read) {
        return read.applyAsDouble(endpoint);
    }
}
