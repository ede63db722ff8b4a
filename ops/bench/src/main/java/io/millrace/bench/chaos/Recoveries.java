package io.millrace.bench.chaos;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * How long after a fault its victims' work goes on: from the fault until a read_committed consumer sees the first ending that was made
 * after the fault and belongs to what the fault hit.
 *
 * <p>Threads: any; the monitor guards all.
 */
final class Recoveries {

    private final List<Open> open = new ArrayList<>();
    private final Map<FaultKind, List<Long>> millis = new EnumMap<>(FaultKind.class);

    private record Open(FaultKind kind, long atMs, Predicate<Ending> belongs) {}

    /** A fault happened. */
    synchronized void hit(FaultKind kind, long atMs, Predicate<Ending> belongs) {
        open.add(new Open(kind, atMs, belongs));
    }

    /** A prompt ended. */
    synchronized void ended(Ending ending) {
        for (Iterator<Open> each = open.iterator(); each.hasNext(); ) {
            Open fault = each.next();
            if (ending.completedAtMs() > fault.atMs() && fault.belongs().test(ending)) {
                millis.computeIfAbsent(fault.kind(), kind -> new ArrayList<>()).add(ending.seenAtMs() - fault.atMs());
                each.remove();
            }
        }
    }

    /** Recovery times of a kind, in milliseconds. */
    synchronized List<Long> millis(FaultKind kind) {
        return List.copyOf(millis.getOrDefault(kind, List.of()));
    }
}
