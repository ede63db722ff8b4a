package io.millrace.streams.intake;

import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PromptDigest;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All requests of this process that are in an engine, and those that have lost their owner. A task that closes leaves its
 * runs here; whoever offers the same prompt again within the grace period takes them over, and what nobody takes over is
 * cancelled.
 *
 * <p>Bound: a pending prompt has one run at most, and an orphan is of a prompt that was pending when its task closed. So
 * orphans are at most as many as were pending (the gate's {@code max_pending} and a poll's worth), for one grace period.
 *
 * <p>Threads: any. Guards: concurrent collections; each run guards itself, and decides who was first. No lock is held
 * while an engine is called.
 */
final class Runs {

    private static final Logger LOG = LoggerFactory.getLogger(Runs.class);

    private final Duration grace;
    private final IntakeThreads threads;
    private final ProcessorObserver observer;

    /** On their way into an engine, or in it. */
    private final Set<Run> live = ConcurrentHashMap.newKeySet();

    private final Map<PendingKey, Run> orphans = new ConcurrentHashMap<>();

    /** Who has all engines for itself. */
    private final AtomicReference<@Nullable PendingKey> reserved = new AtomicReference<>();

    private volatile boolean closed;

    /** @param grace how long an orphan runs on; zero to cancel it at once */
    Runs(Duration grace, IntakeThreads threads, ProcessorObserver observer) {
        this.grace = grace;
        this.threads = threads;
        this.observer = observer;
    }

    /** Whether a run may be given to its engine. */
    enum Entry {
        ENTERED,
        /** Another has the engines for itself. */
        HELD,
        /** The application closes. */
        CLOSED
    }

    /** A run is about to be given to its engine, if it may. */
    Entry enter(Run run) {
        // first in, then a look at who is in the way: whoever comes after that look waits for this one to leave
        live.add(run);
        Entry entry = closed ? Entry.CLOSED : isHeld(run) ? Entry.HELD : Entry.ENTERED;
        if (entry != Entry.ENTERED) {
            live.remove(run);
        }
        return entry;
    }

    private boolean isHeld(Run run) {
        PendingKey alone = reserved.get();
        return alone != null && !alone.equals(run.key());
    }

    /** Keeps all others out of the engines. Answers whether nobody else does. */
    boolean reserve(PendingKey alone) {
        return reserved.compareAndSet(null, alone);
    }

    /** Lets others in again. Answers whether they were kept out for this prompt. */
    boolean free(PendingKey alone) {
        PendingKey now = reserved.get();
        return alone.equals(now) && reserved.compareAndSet(now, null);
    }

    /** Whether no engine runs anything. */
    boolean isEmpty() {
        return live.isEmpty();
    }

    /** Whether an engine runs this prompt, whoever it belongs to. */
    boolean isLive(PendingKey key) {
        return live.stream().anyMatch(run -> run.key().equals(key));
    }

    /** The engine has completed it. */
    void leave(Run run) {
        live.remove(run);
    }

    /** The engine did not take it. Answers who still wants it to run, which may be another than the one that asked. */
    Optional<Work> refuse(Run run) {
        live.remove(run);
        Optional<Work> wanting = run.refuse();
        wanting.ifPresent(work -> work.lease().detach(run));
        orphans.remove(run.key(), run);
        return wanting;
    }

    /** The engine has taken it just now. Repeats to it what was said too early, while it did not know the request. */
    void entered(Run run) {
        switch (run.state()) {
            case OWNED -> {}
            case ORPHANED -> run.rank();
            case ENDED -> run.engine().cancel(run.id());
        }
    }

    /** What runs of this prompt without an owner. */
    Optional<Run> orphan(PendingKey key) {
        return Optional.ofNullable(orphans.get(key));
    }

    /** All that is in an engine or about to be. */
    Collection<Run> live() {
        return Collections.unmodifiableSet(live);
    }

    /** Takes in what a closed lease leaves. */
    void orphan(TaskLease lease, Collection<Run> left) {
        List<Run> orphaned = left.stream().filter(run -> run.orphan(lease)).toList();
        if (orphaned.isEmpty()) {
            return;
        }
        observer.orphaned(orphaned.size());
        for (Run run : orphaned) {
            Run earlier = orphans.put(run.key(), run);
            if (earlier != null && earlier != run) {
                expire(earlier, earlier.lease());
            }
        }
        if (grace.isZero() || closed) {
            expire(lease, orphaned);
            return;
        }
        LOG.info("{} requests of {} run on for {}", orphaned.size(), lease, grace);
        orphaned.forEach(Run::rank);
        if (reserved.get() != null) {
            expireWhatRuns();
        }
        threads.after(grace, () -> expire(lease, orphaned));
    }

    /**
     * Gives the orphan of the same prompt to a new owner. Its completion, where it has one, is the caller's to settle.
     *
     * @return empty where there is none: the prompt is to be submitted
     */
    Optional<Run.Adoption> adopt(Work heir) {
        Run run = orphans.get(heir.key());
        if (run == null) {
            return Optional.empty();
        }
        Optional<Run.Adoption> adoption = run.adopt(heir, PromptDigest.of(heir.prompt()));
        orphans.remove(heir.key(), run);
        if (adoption.isEmpty()) {
            // its grace has just ended, or another prompt has its place
            expire(run, run.lease());
            return Optional.empty();
        }
        if (!heir.lease().attach(run)) {
            orphan(heir.lease(), List.of(run));
            return Optional.empty();
        }
        int tokens = adoption.get().generatedTokens();
        run.rank();
        observer.adopted(run.model(), tokens);
        return adoption;
    }

    /** Cancels the orphans that take up an engine which another has for itself. What they have completed is kept. */
    void expireWhatRuns() {
        for (Run run : List.copyOf(orphans.values())) {
            if (live.contains(run) && isHeld(run)) {
                expire(run, run.lease());
            }
        }
    }

    private void expire(TaskLease lease, Collection<Run> left) {
        long expired = left.stream().filter(run -> expire(run, lease)).count();
        if (expired > 0) {
            LOG.info("{} requests of {} are cancelled: nobody has taken them over", expired, lease);
        }
    }

    private boolean expire(Run run, TaskLease of) {
        if (!run.expire(of)) {
            return false;
        }
        orphans.remove(run.key(), run);
        observer.orphanExpired();
        run.engine().cancel(run.id());
        return true;
    }

    /** The application closes: cancels everything, and from now on all that is orphaned. */
    void close() {
        closed = true;
        for (Run run : List.copyOf(orphans.values())) {
            expire(run, run.lease());
        }
        for (Run run : List.copyOf(live)) {
            // first this, then that: a cancellation must never become a failure record
            run.end();
            run.engine().cancel(run.id());
        }
    }
}
