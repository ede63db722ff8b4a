package io.millrace.streams.gate;

import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Keeps commits apart. A commit costs about 5 ms of its stream thread and covers all tasks of it, so commits closer than
 * that would leave no time for anything else; what completes meanwhile goes with the next one.
 *
 * <p>Threads: one pacer for all stream threads; each thread sees its own times.
 */
public final class CommitPacer {

    /** Least time between two commits of a thread. */
    public static final long MIN_GAP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final LongSupplier nanoClock;
    private final LongConsumer commitNanos;
    private final ThreadLocal<Times> times;
    private volatile boolean told;

    /**
     * @param nanoClock {@link System#nanoTime}, or a test's
     * @param commitNanos told how long each commit took
     */
    public CommitPacer(LongSupplier nanoClock, LongConsumer commitNanos) {
        this.nanoClock = nanoClock;
        this.commitNanos = commitNanos;
        this.times = ThreadLocal.withInitial(() -> new Times(nanoClock.getAsLong() - MIN_GAP_NANOS));
    }

    /** Whether this thread's last commit is long enough ago. */
    public boolean mayCommit() {
        return nanoClock.getAsLong() - times.get().lastCommitEnd >= MIN_GAP_NANOS;
    }

    /** Runs a commit on this thread and remembers when it ended. */
    public void timed(Runnable commit) {
        long start = nanoClock.getAsLong();
        commit.run();
        long end = nanoClock.getAsLong();
        times.get().lastCommitEnd = end;
        times.get().commits++;
        commitNanos.accept(end - start);
    }

    /** Producers tell of their commits from now on. */
    void tellsCommits() {
        told = true;
    }

    /** Whether {@link #commits} counts: not with producers that were not made to tell. */
    public boolean isToldOfCommits() {
        return told;
    }

    /**
     * Commits that this thread has completed. What a task wrote when this was {@code n} is committed once it is more than
     * {@code n}: each commit covers all that its thread has written.
     */
    public long commits() {
        return times.get().commits;
    }

    /** Remembers whether a task of this thread has records that no commit was asked for yet. */
    public void changeOwed(int delta) {
        times.get().owed += delta;
    }

    /** Whether a task of this thread still has to ask for a commit. */
    public boolean isCommitOwed() {
        return times.get().owed > 0;
    }

    private static final class Times {
        private long lastCommitEnd;
        private int owed;
        private long commits;

        Times(long lastCommitEnd) {
            this.lastCommitEnd = lastCommitEnd;
        }
    }
}
