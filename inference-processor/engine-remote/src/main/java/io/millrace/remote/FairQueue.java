package io.millrace.remote;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What waits, in the order of the local engine's waiting queue: lower priority number first; within a priority tenants in
 * turn, one request each; within a tenant the oldest first. So a tenant with a thousand prompts delays another's first by one.
 *
 * <p>Bounded by its caller. Threads: its caller's.
 */
final class FairQueue<T> {

    /** A request's place: numbers given at arrival, so that what comes back comes before what arrived later. */
    private record Place<T>(int priority, String tenant, long arrival, T item) implements Comparable<Place<T>> {
        @Override
        public int compareTo(Place<T> other) {
            return Long.compare(arrival, other.arrival);
        }
    }

    private final TreeMap<Integer, LinkedHashMap<String, TreeSet<Place<T>>>> levels = new TreeMap<>(); // none is empty
    private final Map<T, Place<T>> places = new HashMap<>();

    int size() {
        return places.size();
    }

    /**
     * Puts an item in line.
     *
     * @param arrival unique among the items
     */
    void add(int priority, String tenant, long arrival, T item) {
        Place<T> place = new Place<>(priority, tenant, arrival, item);
        places.put(item, place);
        levels.computeIfAbsent(priority, p -> new LinkedHashMap<>())
                .computeIfAbsent(tenant, t -> new TreeSet<>())
                .add(place);
    }

    /** The next in line. */
    Optional<T> peek() {
        return levels.isEmpty()
                ? Optional.empty()
                : Optional.of(levels.firstEntry()
                        .getValue()
                        .firstEntry()
                        .getValue()
                        .getFirst()
                        .item());
    }

    /** Takes the next out; its tenant's turn is over. */
    void removeFirst() {
        LinkedHashMap<String, TreeSet<Place<T>>> level = levels.firstEntry().getValue();
        Map.Entry<String, TreeSet<Place<T>>> turn = level.firstEntry();
        remove(turn.getValue().getFirst().item());
        if (level.containsKey(turn.getKey())) {
            level.putLast(turn.getKey(), turn.getValue());
        }
    }

    /** Takes one out of line. Answers whether it was there. */
    boolean remove(T item) {
        Place<T> place = places.remove(item);
        if (place == null) {
            return false;
        }
        // a line and a level that are empty go with their last item
        levels.computeIfPresent(place.priority(), (_, level) -> {
            level.computeIfPresent(place.tenant(), (_, line) -> {
                line.remove(place);
                return line.isEmpty() ? null : line;
            });
            return level.isEmpty() ? null : level;
        });
        return true;
    }

    /** All that wait, in no order. */
    List<T> all() {
        return new ArrayList<>(places.keySet());
    }
}
