package io.millrace.streams.intake;

import io.millrace.streams.pending.PendingKey;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Who of the suspects may run now, in all tasks and engines of this process. A few may run beside everything else. One at
 * a time may run alone: whoever has the turn waits until no engine of ours runs anything, and nothing enters one until it
 * has left. Turns and normal work alternate by time, so that neither starves.
 *
 * <p>Threads: stream threads ask for places and turns; intake threads ask to enter; engine threads give turns back.
 * Guards: the monitor, under which no engine is called; {@link Runs} knows whose turn it is. Bounds: suspects that wait, and
 * marks, are of pending prompts.
 */
public final class Quarantine {

    /** Beside everything else: few, so that a culprit is met by few others of its kind, and more than one, for throughput. */
    static final int MAX_AT_ONCE = 4;

    /**
     * How long a prompt with strikes lets others go first, nanoseconds: a few times what it takes to answer a batch, so that
     * its neighbours are out of the way when it runs.
     */
    static final long STRUCK_WAIT_NANOS = Duration.ofSeconds(30).toNanos();

    private final UUID process;
    private final Runs runs;
    private final LongSupplier nanoClock;
    private final Runnable onTurnOver;

    /** Wait for a turn, in order of turns: who has fewer strikes, then who came first. */
    private final TreeSet<Suspect> waiting = new TreeSet<>(Comparator.comparingInt(Suspect::strikes)
            .thenComparingLong(suspect -> suspect.key().offset())
            .thenComparingInt(suspect -> suspect.key().partition()));

    /** Marked in a store. */
    private final Set<PendingKey> marked = new HashSet<>();

    private int running;
    private long turnBegan;
    private long turnNanos;
    private long turnOver;
    private boolean stopping;
    private volatile boolean takingBack;

    /**
     * Waits for a turn.
     *
     * @param sinceNanos when it began to
     */
    public record Suspect(PendingKey key, int strikes, long sinceNanos) {

        static Suspect of(Work work, long nowNanos) {
            return new Suspect(work.key(), work.prompt().strikes(), nowNanos);
        }
    }

    /**
     * @param process this one, as marks name it
     * @param onTurnOver told when others may enter engines again
     */
    Quarantine(UUID process, Runs runs, LongSupplier nanoClock, Runnable onTurnOver) {
        this.process = process;
        this.runs = runs;
        this.nanoClock = nanoClock;
        this.onTurnOver = onTurnOver;
        this.turnOver = nanoClock.getAsLong();
    }

    /** This process, as marks name it. */
    public UUID process() {
        return process;
    }

    /** Takes one of the few places beside everything else, if one is free. */
    public synchronized boolean takePlace() {
        if (running >= MAX_AT_ONCE) {
            return false;
        }
        running++;
        return true;
    }

    /** Takes a place for what runs already. */
    public synchronized void takePlaceRunning() {
        running++;
    }

    /** Gives a place back. */
    public synchronized void leavePlace() {
        running--;
    }

    /** Queues up for a turn. */
    public synchronized Suspect await(Work work) {
        Suspect suspect = Suspect.of(work, nanoClock.getAsLong());
        waiting.add(suspect);
        return suspect;
    }

    /** Leaves the queue. */
    public synchronized void leaveQueue(Suspect suspect) {
        waiting.remove(suspect);
    }

    /** Suspects that wait for a turn. */
    public synchronized int waiting() {
        return waiting.size();
    }

    /**
     * Asks for a turn. Once it is granted nothing else enters an engine, what has no owner is cancelled, and what runs is
     * waited for.
     *
     * @param pending prompts pending in this instance, those that wait here included
     * @return whether it is this suspect's turn now
     */
    public boolean takeTurn(Suspect suspect, int pending) {
        synchronized (this) {
            long now = nanoClock.getAsLong();
            boolean first = !waiting.isEmpty() && waiting.first().equals(suspect);
            boolean others = pending > waiting.size();
            if (stopping || !first || (others && !isDue(suspect, now)) || !runs.reserve(suspect.key())) {
                return false;
            }
            waiting.remove(suspect);
            turnBegan = now;
        }
        runs.expireWhatRuns();
        return true;
    }

    /** While there is other work: as long as the last turn took that goes on, and longer where there are strikes. */
    private boolean isDue(Suspect suspect, long now) {
        return now - turnOver >= turnNanos
                && (suspect.strikes() == 0 || now - suspect.sinceNanos() >= STRUCK_WAIT_NANOS);
    }

    /** Whether no engine runs anything. Stays so as long as the caller has the turn and does not run. */
    public boolean isQuiet() {
        return runs.isEmpty();
    }

    /** Ends a turn, if it is this prompt's. */
    public void giveTurnBack(PendingKey key) {
        if (runs.free(key)) {
            synchronized (this) {
                turnOver = nanoClock.getAsLong();
                turnNanos = turnOver - turnBegan;
            }
            onTurnOver.run();
        }
    }

    /** The same where the task closes: what runs in an engine keeps its turn until it has left. */
    public void abandonTurn(PendingKey key) {
        if (!runs.isLive(key)) {
            giveTurnBack(key);
        }
    }

    /** The mark is about to be written. */
    public synchronized void marked(PendingKey key) {
        marked.add(key);
    }

    /** The mark is no more, or no more ours to take back. */
    public synchronized void unmarked(PendingKey key) {
        marked.remove(key);
    }

    /** The application drains: no more turns. */
    public synchronized void stop() {
        stopping = true;
    }

    public synchronized boolean isStopping() {
        return stopping;
    }

    /** Whether marks are to be taken off, though what they mark runs. */
    public boolean isTakingBack() {
        return takingBack;
    }

    /**
     * Has the tasks take all marks off, and waits until they have. What they write is committed when they are closed: a
     * process that goes away in good order leaves no mark, so that nobody takes it for dead.
     *
     * @return whether no mark is left
     */
    public boolean takeMarksBack(Duration timeout) throws InterruptedException {
        takingBack = true;
        long end = System.nanoTime() + timeout.toNanos();
        while (hasMarks() && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        return !hasMarks();
    }

    private synchronized boolean hasMarks() {
        return !marked.isEmpty();
    }
}
