package io.millrace.streams.topology;

import io.millrace.streams.gate.CommitPacer;
import java.util.OptionalLong;
import org.apache.kafka.streams.processor.api.ProcessorContext;

/**
 * Whether a task has written something that no commit was asked for yet.
 *
 * <p>Threads: the task's stream thread only.
 */
final class CommitDebt {

    private final ProcessorContext<?, ?> context;
    private final CommitPacer pacer;
    private boolean owed;

    /** Commits of the thread when this life of the task wrote for the first time. */
    private OptionalLong atFirstWrite = OptionalLong.empty();

    CommitDebt(ProcessorContext<?, ?> context, CommitPacer pacer) {
        this.context = context;
        this.pacer = pacer;
    }

    void owe() {
        if (!owed) {
            owed = true;
            pacer.changeOwed(1);
        }
    }

    /** The task has written. */
    void wrote() {
        if (atFirstWrite.isEmpty()) {
            atFirstWrite = OptionalLong.of(pacer.commits());
        }
    }

    /** Whether the first that this life of the task wrote is committed; asks for it otherwise. True where it wrote nothing. */
    boolean hasCommitted() {
        if (atFirstWrite.isEmpty() || isCommitted(atFirstWrite.getAsLong())) {
            return true;
        }
        owe();
        return false;
    }

    /** Whether what was written when there were so many {@link #commits} is committed. */
    boolean isCommitted(long commitsWhenWritten) {
        return !pacer.isToldOfCommits() || pacer.commits() > commitsWhenWritten;
    }

    boolean isOwed() {
        return owed;
    }

    /** Asks for a commit, unless the last one was a moment ago. During a rebalance Streams ignores that. */
    void payWhenDue() {
        if (owed && pacer.mayCommit()) {
            context.commit();
            forgive();
        }
    }

    void forgive() {
        if (owed) {
            owed = false;
            pacer.changeOwed(-1);
        }
    }

    /** Commits of this thread so far: what is written now is committed once there are more. */
    long commits() {
        return pacer.commits();
    }
}
