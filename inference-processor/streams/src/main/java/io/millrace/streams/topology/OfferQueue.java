package io.millrace.streams.topology;

import io.millrace.streams.intake.Intake;
import io.millrace.streams.intake.Work;
import io.millrace.streams.pending.PendingKey;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Set;

/**
 * Prompts on their way to intake, oldest first: it may have no room for them now, or what the store says of them may have
 * to be committed before they run.
 *
 * <p>A prompt that kills the process at once, before its entry is committed, would be read from its topic again as if for
 * the first time, in every life. So in each life the first commit comes before the first offer; and while prompts are
 * pending that were restored time and again, which says that lives are short, each new prompt waits for a commit of its own
 * entry. Otherwise none waits.
 *
 * <p>Threads: the task's stream thread only. Bound: the task's pending prompts.
 */
final class OfferQueue {

    /** Recoveries of a pending prompt that make the task cautious: one is a deploy or an accident, two in a row may not be. */
    private static final int CAUTION_RECOVERIES = 2;

    private final Intake intake;
    private final CommitDebt commits;
    private final ArrayDeque<Entry> queue = new ArrayDeque<>();

    /** Pending, and restored time and again. */
    private final Set<PendingKey> restoredOften = new HashSet<>();

    /** @param commits of the thread when its entry was written */
    private record Entry(Work work, long commits) {}

    OfferQueue(Intake intake, CommitDebt commits) {
        this.intake = intake;
        this.commits = commits;
    }

    /** Takes a prompt whose entry was written just now. */
    void add(Work work) {
        queue.addLast(new Entry(work, commits.commits()));
    }

    /** A restored prompt's recovery was counted. */
    void recovered(Work work) {
        if (work.prompt().recoveries() >= CAUTION_RECOVERIES) {
            restoredOften.add(work.key());
        }
    }

    /** It has ended, or a command holds it back. */
    void left(PendingKey key) {
        restoredOften.remove(key);
    }

    /** Offers what may be offered, as far as intake has room. */
    void advance() {
        for (Entry next = queue.peekFirst(); next != null; next = queue.peekFirst()) {
            if (!restoredOften.isEmpty() && !commits.isCommitted(next.commits())) {
                commits.owe();
                return;
            }
            if (!intake.offer(next.work())) {
                return;
            }
            queue.removeFirst();
        }
    }

    void clear() {
        queue.clear();
        restoredOften.clear();
    }
}
