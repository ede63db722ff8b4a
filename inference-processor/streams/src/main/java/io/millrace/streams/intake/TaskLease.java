package io.millrace.streams.intake;

import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.records.Outcome;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A task's right to the endings of its prompts. Each life of a task has its own lease; once it is closed nothing that was
 * submitted under it reaches a processor, unless a later lease adopts it.
 *
 * <p>Owner: the task's processor, on its stream thread, which takes endings and closes. Producers: intake threads.
 * Guards: a concurrent queue, bounded by the task's pending prompts, each of which ends at most once; a volatile flag;
 * the monitor of {@code running}, under which the flag falls, so that each run is either refused or handed on.
 */
public final class TaskLease {

    private static final AtomicLong EPOCHS = new AtomicLong();

    /** The ending of one prompt. */
    public record Settled(Work work, Outcome outcome) {}

    /** What becomes of a prompt before it ends. */
    public sealed interface Notice {

        /** Which prompt. */
        Work work();

        /**
         * It waits for a RESUME.
         *
         * @param by whose pause it is, e.g. {@code job=nightly}
         */
        record Paused(Work work, String by) implements Notice {}

        /** It waits no more. */
        record Resumed(Work work) implements Notice {}

        /** It waits no more, but is suspected of killing processes: it is to be offered again when it may run. */
        record Returned(Work work) implements Notice {}

        /** It was found with a mark, and now it is known why its owner has lost it. */
        record Judged(Work work, Fate owner) implements Notice {}

        /** It goes on when it is decided that no other prompt has its id. */
        record Asks(Work work, String requestId, Answer answer) implements Notice {}
    }

    /** How a prompt that asked goes on. One of the two is called, once; neither blocks. */
    public interface Answer {

        /** The id is its own. */
        void goOn();

        /**
         * Another has the id.
         *
         * @param first {@code topic-partition-offset} of the other
         */
        void duplicateOf(String first);
    }

    /** What became of the process that ran a prompt alone. */
    public enum Fate {
        /** It has lost the prompt's task, and lives. */
        ALIVE,
        /** It is in the group no more. */
        DEAD
    }

    /** What the processor decides before a prompt may run. */
    public enum Decision {
        /** Nothing. */
        NONE,
        /** Whether a prompt that has a {@code request_id} is a duplicate. */
        BY_REQUEST_ID
    }

    private final String task;
    private final Runs runs;
    private final Decision decision;
    private final long epoch = EPOCHS.incrementAndGet();
    private final ConcurrentLinkedQueue<Settled> settled = new ConcurrentLinkedQueue<>();

    /** Bounded by the pending prompts, and by how often they are paused between two drains. */
    private final ConcurrentLinkedQueue<Notice> notices = new ConcurrentLinkedQueue<>();

    /** In an engine, or completed and not yet taken by the processor. */
    private final Map<PendingKey, Run> running = new HashMap<>();

    private volatile boolean open = true;

    /**
     * A lease of a task that decides before its prompts may run.
     *
     * @param task for people: the task's id
     * @param runs takes what runs when the lease is closed
     */
    TaskLease(String task, Runs runs, Decision decision) {
        this.task = task;
        this.runs = runs;
        this.decision = decision;
    }

    /** Unique in this JVM. */
    public long epoch() {
        return epoch;
    }

    /** Whether prompts with an id have to ask first. */
    boolean decidesByRequestId() {
        return decision == Decision.BY_REQUEST_ID;
    }

    /** Whether endings are still wanted. */
    public boolean isOpen() {
        return open;
    }

    /** Hands over an ending; it is dropped where the lease is closed. */
    public void settle(Work work, Outcome outcome) {
        if (open) {
            settled.add(new Settled(work, outcome));
        }
    }

    /** The next ending, if there is one. Called by the processor only. */
    public @Nullable Settled poll() {
        Settled next = open ? settled.poll() : null;
        if (next != null) {
            synchronized (running) {
                running.remove(next.work().key());
            }
        }
        return next;
    }

    /** Tells the processor; dropped where the lease is closed. */
    void tell(Notice notice) {
        if (open) {
            notices.add(notice);
        }
    }

    /**
     * The next notice, if there is one. Called by the processor only. A prompt's ending may be polled before its notices
     * are.
     */
    public @Nullable Notice hear() {
        return open ? notices.poll() : null;
    }

    /** Takes a run under the lease, until its ending is polled. Answers whether the lease is open. */
    boolean attach(Run run) {
        synchronized (running) {
            if (open) {
                running.put(run.key(), run);
            }
            return open;
        }
    }

    /** The engine did not take it. */
    void detach(Run run) {
        synchronized (running) {
            running.remove(run.key(), run);
        }
    }

    /**
     * Ends the lease. What runs under it is orphaned: the prompts are in the next owner's restored store, and should that
     * owner be in this process, it takes the runs over. Idempotent.
     */
    public void close() {
        List<Run> left;
        synchronized (running) {
            open = false;
            left = List.copyOf(running.values());
            running.clear();
        }
        settled.clear();
        notices.clear();
        runs.orphan(this, left);
    }

    @Override
    public String toString() {
        return "lease(task=" + task + ", epoch=" + epoch + ", open=" + open + ")";
    }
}
