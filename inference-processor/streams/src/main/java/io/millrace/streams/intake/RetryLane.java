package io.millrace.streams.intake;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Things that could not be done yet, in order of arrival. One timer tries the first of them, further and further apart;
 * once it succeeds the others follow at once. So a thing that stays impossible costs one attempt per pause, however many
 * wait behind it.
 *
 * <p>Threads: any intake thread adds; one at a time tries the first. Guards: the monitor of {@code waiting}, never held
 * during an attempt. Bound: the pending prompts, each of which waits in one lane at most.
 *
 * @param <T> what is tried
 */
final class RetryLane<T> {

    /** The least pause and the longest. */
    record BackOff(Duration first, Duration longest) {

        /** While a schema registry does not answer. */
        static final BackOff REGISTRY = new BackOff(Duration.ofMillis(100), Duration.ofSeconds(5));
    }

    private final IntakeThreads threads;
    private final Function<T, Optional<BackOff>> attempt;
    private final Runnable onEmpty;
    private final ArrayDeque<T> waiting = new ArrayDeque<>();
    private boolean pumping;
    private boolean again;
    private boolean timerSet;
    private @Nullable Duration pause;

    /**
     * Makes an empty lane.
     *
     * @param attempt empty when done; else how to go on trying. Must not throw.
     * @param onEmpty told when nothing waits any more, whether it succeeded or nobody wants it now
     */
    RetryLane(IntakeThreads threads, Function<T, Optional<BackOff>> attempt, Runnable onEmpty) {
        this.threads = threads;
        this.attempt = attempt;
        this.onEmpty = onEmpty;
    }

    /** Tries it now, unless others already wait. */
    void run(T item) {
        synchronized (waiting) {
            if (!waiting.isEmpty()) {
                waiting.addLast(item);
                return;
            }
        }
        Optional<BackOff> later = attempt.apply(item);
        if (later.isPresent()) {
            synchronized (waiting) {
                waiting.addLast(item);
            }
            pauseThenPump(later.get());
        }
    }

    /** Something has changed: tries the first at once. Cheap where nothing waits. */
    void kick() {
        synchronized (waiting) {
            if (waiting.isEmpty()) {
                return;
            }
        }
        threads.execute(this::pump);
    }

    /** Takes out what waits and matches, in order. One that is just being tried stays: the attempt decides. */
    List<T> take(Predicate<T> matching) {
        synchronized (waiting) {
            List<T> taken = waiting.stream()
                    .skip(pumping ? 1 : 0)
                    .filter(matching)
                    .collect(Collectors.toCollection(ArrayList::new));
            if (!taken.isEmpty()) {
                Set<T> gone = Collections.newSetFromMap(new IdentityHashMap<>());
                gone.addAll(taken);
                waiting.removeIf(gone::contains);
            }
            return taken;
        }
    }

    int size() {
        synchronized (waiting) {
            return waiting.size();
        }
    }

    private void pump() {
        synchronized (waiting) {
            if (pumping) {
                again = true;
                return;
            }
            pumping = true;
        }
        boolean more = true;
        while (more) {
            Optional<BackOff> later = drain();
            synchronized (waiting) {
                // a kick that came during an attempt may have come too late for it
                more = again;
                again = false;
                pumping = more;
            }
            if (!more) {
                later.ifPresent(this::pauseThenPump);
            }
        }
    }

    /** Tries from the first on until one has to wait. */
    private Optional<BackOff> drain() {
        while (true) {
            T first;
            synchronized (waiting) {
                first = waiting.peekFirst();
            }
            if (first == null) {
                onEmpty.run();
                return Optional.empty();
            }
            Optional<BackOff> later = attempt.apply(first);
            if (later.isPresent()) {
                return later;
            }
            synchronized (waiting) {
                waiting.removeFirst();
                pause = null;
            }
        }
    }

    private void pauseThenPump(BackOff backOff) {
        Duration delay;
        synchronized (waiting) {
            if (timerSet) {
                return;
            }
            timerSet = true;
            delay = pause == null ? backOff.first() : min(pause.multipliedBy(2), backOff.longest());
            pause = delay;
        }
        threads.after(delay, () -> {
            synchronized (waiting) {
                timerSet = false;
            }
            pump();
        });
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }
}
