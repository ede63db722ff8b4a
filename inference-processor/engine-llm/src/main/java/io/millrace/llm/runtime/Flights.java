package io.millrace.llm.runtime;

import io.millrace.llm.scheduler.BatchPlan;
import io.millrace.llm.scheduler.Sequence;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The requests in flight, by what they are looked up by. Bounded by the inbox: at most max_waiting + max_num_seqs.
 *
 * <p>Threads: the engine thread owns it.
 */
final class Flights {

    private final Map<Sequence, Flight> bySequence = new HashMap<>();
    private final Map<Inbox.Ticket, Flight> byTicket = new HashMap<>();
    private final TreeSet<Flight> byDeadline = new TreeSet<>(
            Comparator.comparingLong((Flight flight) -> flight.deadline().nanos())
                    .thenComparingLong(flight -> flight.sequence().arrival()));

    boolean isEmpty() {
        return bySequence.isEmpty();
    }

    void add(Flight flight) {
        bySequence.put(flight.sequence(), flight);
        byTicket.put(flight.ticket(), flight);
        byDeadline.add(flight);
    }

    void remove(Flight flight) {
        bySequence.remove(flight.sequence());
        byTicket.remove(flight.ticket());
        byDeadline.remove(flight);
    }

    /** The flight that an item works on. */
    Flight of(BatchPlan.Item item) {
        Flight flight = bySequence.get(item.sequence());
        if (flight == null) {
            throw new IllegalStateException(item.sequence() + ", expected=a sequence in flight");
        }
        return flight;
    }

    /** Those that mail cancels: a cancellation may be drained before, with or after its request. */
    List<Flight> cancelled(Inbox.Mail mail) {
        List<Flight> cancelled = new ArrayList<>();
        for (Inbox.Arrival arrival : mail.arrivals()) {
            if (arrival.ticket().isCancelled()) {
                addIfHere(arrival.ticket(), cancelled);
            }
        }
        for (Inbox.Ticket ticket : mail.cancellations()) {
            addIfHere(ticket, cancelled);
        }
        return cancelled.stream().distinct().toList();
    }

    /** Those that mail gives a new priority. */
    List<Flight> reprioritized(Inbox.Mail mail) {
        List<Flight> reprioritized = new ArrayList<>();
        mail.reprioritized().forEach(ticket -> addIfHere(ticket, reprioritized));
        return reprioritized;
    }

    private void addIfHere(Inbox.Ticket ticket, List<Flight> flights) {
        Flight flight = byTicket.get(ticket);
        if (flight != null) {
            flights.add(flight);
        }
    }

    /** Those whose deadline has passed. */
    List<Flight> overdue(long nowNanos) {
        List<Flight> overdue = new ArrayList<>();
        for (Flight flight : byDeadline) {
            if (!flight.deadline().passed(nowNanos)) {
                break;
            }
            overdue.add(flight);
        }
        return overdue;
    }
}
