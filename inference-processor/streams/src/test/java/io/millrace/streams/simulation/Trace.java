package io.millrace.streams.simulation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What happened, in order: a hash of all of it, and its last events for people. */
final class Trace {

    private static final int KEPT = 256;
    private static final long PRIME = 0x100000001B3L;

    private final Event[] last = new Event[KEPT];
    private final Map<String, Integer> kinds = new TreeMap<>();
    private long count;
    private long hash = 0xCBF29CE484222325L;

    private record Event(long nanos, String actor, String what, Object[] details) {

        @Override
        public String toString() {
            return String.format("%12.3f ms  %-16s %s %s", nanos / 1e6, actor, what, Arrays.toString(details));
        }
    }

    void add(long nanos, String actor, String what, Object... details) {
        last[(int) (count++ % KEPT)] = new Event(nanos, actor, what, details);
        kinds.merge(what, 1, Integer::sum);
        mix(nanos);
        mix(actor.hashCode());
        mix(what.hashCode());
        mix(Arrays.hashCode(details));
    }

    private void mix(long value) {
        hash = (hash ^ value) * PRIME;
        hash ^= hash >>> 29;
    }

    long hash() {
        return hash;
    }

    /** How often each kind of event happened. */
    Map<String, Integer> kinds() {
        return kinds;
    }

    /** The last events, a line each. */
    String lastEvents() {
        List<String> lines = new ArrayList<>();
        for (long i = Math.max(0, count - KEPT); i < count; i++) {
            lines.add(last[(int) (i % KEPT)].toString());
        }
        return String.join("\n", lines);
    }
}
