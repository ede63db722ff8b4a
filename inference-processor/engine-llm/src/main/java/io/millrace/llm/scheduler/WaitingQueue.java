package io.millrace.llm.scheduler;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Sequences that wait for a place, in the order in which they get one: lower priority number first; within a priority those
 * that were preempted, oldest first, since work was lost on them; then tenants in turn, one sequence each; within a tenant
 * the oldest first. So a tenant with a thousand prompts delays another's first by one sequence, not by a thousand.
 *
 * <p>Bounded by its callers: the engine refuses submissions at max_waiting, and at most max_num_seqs are preempted.
 *
 * <p>Threads: the engine thread owns it.
 */
final class WaitingQueue {

    private final TreeMap<Integer, Level> levels = new TreeMap<>(); // by priority; none is empty
    private int size;

    int size() {
        return size;
    }

    void add(Sequence sequence) {
        levels.computeIfAbsent(sequence.priority(), p -> new Level()).add(sequence);
        size++;
    }

    /** The next to get a place. */
    Optional<Sequence> peek() {
        return levels.isEmpty()
                ? Optional.empty()
                : Optional.of(levels.firstEntry().getValue().peek());
    }

    /** Takes the next out; its tenant's turn is over. */
    void removeFirst() {
        Map.Entry<Integer, Level> first = levels.firstEntry();
        first.getValue().removeFirst();
        removed(first.getKey(), first.getValue());
    }

    /** Takes one out of line: it was cancelled, or gets another priority. */
    void remove(Sequence sequence) {
        Level level = levels.get(sequence.priority());
        if (level == null || !level.remove(sequence)) {
            throw new IllegalStateException(sequence + ", expected=a sequence that waits here");
        }
        removed(sequence.priority(), level);
    }

    private void removed(int priority, Level level) {
        size--;
        if (level.isEmpty()) {
            levels.remove(priority);
        }
    }

    /** Those of one priority. */
    private static final class Level {
        private final TreeSet<Sequence> preempted = new TreeSet<>(Sequence.BY_IMPORTANCE);
        private final LinkedHashMap<String, TreeSet<Sequence>> byTenant = new LinkedHashMap<>(); // in turn; none empty

        boolean isEmpty() {
            return preempted.isEmpty() && byTenant.isEmpty();
        }

        void add(Sequence sequence) {
            if (sequence.state() == SequenceState.PREEMPTED) {
                preempted.add(sequence);
            } else {
                byTenant.computeIfAbsent(sequence.tenant(), t -> new TreeSet<>(Sequence.BY_IMPORTANCE))
                        .add(sequence);
            }
        }

        Sequence peek() {
            return preempted.isEmpty() ? byTenant.firstEntry().getValue().getFirst() : preempted.getFirst();
        }

        void removeFirst() {
            if (preempted.pollFirst() != null) {
                return;
            }
            Map.Entry<String, TreeSet<Sequence>> turn = byTenant.firstEntry();
            turn.getValue().pollFirst();
            byTenant.remove(turn.getKey());
            if (!turn.getValue().isEmpty()) {
                byTenant.putLast(turn.getKey(), turn.getValue());
            }
        }

        boolean remove(Sequence sequence) {
            if (preempted.remove(sequence)) {
                return true;
            }
            TreeSet<Sequence> line = byTenant.get(sequence.tenant());
            if (line == null || !line.remove(sequence)) {
                return false;
            }
            if (line.isEmpty()) {
                byTenant.remove(sequence.tenant());
            }
            return true;
        }
    }
}
