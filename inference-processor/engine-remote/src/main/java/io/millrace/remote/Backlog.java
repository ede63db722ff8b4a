package io.millrace.remote;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/**
 * Requests that are not in flight: those in line; those that stepped aside, since their endpoint was away and another is to try
 * it; and those whose attempt failed, which come back into line after a pause and as the budget for retries allows.
 *
 * <p>Bounded by its caller. Threads: the dispatcher's monitor guards it.
 */
final class Backlog {

    private final RetryBudget retries;
    private final FairQueue<Flight> line = new FairQueue<>();
    private final SequencedMap<Endpoint, Flight> aside = new LinkedHashMap<>(); // one for each endpoint
    private final Set<Flight> pausing = new LinkedHashSet<>();

    Backlog(RetryBudget retries) {
        this.retries = retries;
    }

    int size() {
        return line.size() + aside.size() + pausing.size();
    }

    /** Puts one in line, at its place. */
    void add(Flight flight) {
        line.add(flight.priority(), flight.request().tenant(), flight.arrival(), flight);
    }

    /** Lets the others in line go first, for this endpoint's sake, until {@link #comeForward}. Whom it had aside is in line again. */
    void stepAside(Endpoint endpoint, Flight flight) {
        comeForward(endpoint);
        aside.put(endpoint, flight);
    }

    /** Puts into line whom this endpoint has aside. */
    void comeForward(Endpoint endpoint) {
        Flight flight = aside.remove(endpoint);
        if (flight != null) {
            add(flight);
        }
    }

    /** Puts all into line that stepped aside. */
    void comeForward() {
        aside.values().forEach(this::add);
        aside.clear();
    }

    /** Keeps one out of line until {@link Flight#retryNanos}. */
    void addLater(Flight flight) {
        pausing.add(flight);
    }

    /** The first in line; where there is no line, the first that stepped aside. */
    Optional<Flight> peek() {
        return line.peek().or(() -> aside.values().stream().findFirst());
    }

    /** Takes the first out, for an attempt. */
    void removeFirst() {
        if (line.size() > 0) {
            line.removeFirst();
        } else {
            aside.pollFirstEntry();
        }
    }

    void remove(Flight flight) {
        var _ = line.remove(flight) || aside.values().remove(flight) || pausing.remove(flight);
    }

    void setPriority(Flight flight, int priority) {
        boolean inLine = line.remove(flight);
        flight.priority(priority);
        if (inLine) {
            add(flight);
        }
    }

    /** Takes out those whose deadline has passed. */
    List<Flight> removeOverdue(long now) {
        List<Flight> overdue = new ArrayList<>(line.all());
        overdue.addAll(aside.values());
        overdue.addAll(pausing);
        overdue.removeIf(flight -> !flight.isOverdue(now));
        overdue.forEach(this::remove);
        return overdue;
    }

    /** Puts those into line whose pause is over, the oldest first. */
    void comeBack(long now) {
        List<Flight> due = pausing.stream()
                .filter(flight -> flight.retryNanos() - now <= 0)
                .sorted(Comparator.comparingLong(Flight::arrival))
                .toList();
        for (Flight flight : due) {
            if (!retries.take(now)) {
                return;
            }
            pausing.remove(flight);
            add(flight);
        }
    }
}
