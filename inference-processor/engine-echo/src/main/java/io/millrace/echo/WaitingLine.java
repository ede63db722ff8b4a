package io.millrace.echo;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Requests that wait for a place, in the order in which they get one: lower priority number first, then tenants in turn, then
 * the oldest first. Guarded by its engine's lock, which also bounds it.
 */
final class WaitingLine {

    private final TreeMap<Integer, LinkedHashMap<String, TreeSet<Flight>>> levels = new TreeMap<>(); // none is empty
    private int size;

    int size() {
        return size;
    }

    void add(Flight flight) {
        levels.computeIfAbsent(flight.priority(), priority -> new LinkedHashMap<>())
                .computeIfAbsent(
                        flight.request().tenant(), tenant -> new TreeSet<>(Comparator.comparingLong(Flight::number)))
                .add(flight);
        size++;
    }

    /** Takes out the next; its tenant's turn is over. */
    Optional<Flight> poll() {
        Map.Entry<Integer, LinkedHashMap<String, TreeSet<Flight>>> level = levels.firstEntry();
        if (level == null) {
            return Optional.empty();
        }
        Map.Entry<String, TreeSet<Flight>> turn = level.getValue().firstEntry();
        Flight next = turn.getValue().getFirst();
        remove(next);
        if (!turn.getValue().isEmpty()) {
            level.getValue().putLast(turn.getKey(), turn.getValue());
        }
        return Optional.of(next);
    }

    /** Takes one out of line. */
    boolean remove(Flight flight) {
        LinkedHashMap<String, TreeSet<Flight>> level = levels.get(flight.priority());
        String tenant = flight.request().tenant();
        TreeSet<Flight> line = level == null ? null : level.get(tenant);
        if (level == null || line == null || !line.remove(flight)) {
            return false;
        }
        size--;
        if (line.isEmpty()) {
            level.remove(tenant);
        }
        if (level.isEmpty()) {
            levels.remove(flight.priority());
        }
        return true;
    }
}
