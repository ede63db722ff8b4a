package io.millrace.streams.intake;

import io.millrace.engine.FailureCode;
import io.millrace.streams.control.Controls;
import io.millrace.streams.control.Verdict;
import io.millrace.streams.intake.Submissions.Submission;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.Suspicion;
import io.millrace.streams.records.FailureReport;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * What commands and deadlines do to prompts outside an engine, and commands to those inside: cancelled ones end, paused
 * ones are held until they are resumed, cancelled or too late.
 *
 * <p>A prompt asks before it is given to its engine, and when it has been given; a change of the commands looks at all that
 * wait, run or are held. Each registers before it asks, so of two that come at once one sees the other.
 *
 * <p>Threads: intake threads. Guards: concurrent maps; taking a prompt out of {@code held} is the right to go on with it.
 * Bound of {@code held}: the gate's {@code max_paused} and a poll's worth, and what a closed task held for another second.
 */
final class Commands {

    /** How often held prompts, and those that wait for an engine, are looked at for their deadlines. */
    private static final Duration LOOK_INTERVAL = Duration.ofSeconds(1);

    private final Controls controls;
    private final Runs runs;
    private final Endings endings;
    private final IntakeThreads threads;
    private final Consumer<Submission> goOn;
    private final Function<Predicate<Submission>, List<Submission>> takeWaiting;
    private final Map<Id, Submission> held = new ConcurrentHashMap<>();
    private final AtomicInteger changes = new AtomicInteger();
    private final AtomicBoolean watching = new AtomicBoolean();

    /** A prompt in one life of its task. */
    private record Id(long epoch, PendingKey key) {

        static Id of(Submission submission) {
            return new Id(submission.work().lease().epoch(), submission.work().key());
        }
    }

    /**
     * Nothing is held yet.
     *
     * @param goOn takes a prompt that is held no more; it asks {@link #mayGoOn} again
     * @param takeWaiting takes out what waits for an engine and matches
     */
    Commands(
            Controls controls,
            Runs runs,
            Endings endings,
            IntakeThreads threads,
            Consumer<Submission> goOn,
            Function<Predicate<Submission>, List<Submission>> takeWaiting) {
        this.controls = controls;
        this.runs = runs;
        this.endings = endings;
        this.threads = threads;
        this.goOn = goOn;
        this.takeWaiting = takeWaiting;
    }

    /** Whether a prompt may be given to its engine. If not it has ended or is held: the caller is done with it. */
    boolean mayGoOn(Submission submission) {
        if (isTooLate(submission)) {
            fail(
                    submission,
                    FailureCode.DEADLINE_EXCEEDED,
                    "deadline=" + submission.request().deadline().orElseThrow()
                            + ", passed before it was given to an engine");
            return false;
        }
        return switch (verdict(submission)) {
            case Verdict.Proceed _ -> true;
            case Verdict.Cancelled(String message) -> {
                fail(submission, FailureCode.CANCELLED, message);
                yield false;
            }
            case Verdict.Paused(String by) -> {
                hold(submission, by);
                yield false;
            }
        };
    }

    private void fail(Submission submission, FailureCode code, String message) {
        endings.fail(submission.work(), submission.prompt(), FailureReport.of(code, message));
    }

    private void hold(Submission submission, String by) {
        submission.work().lease().tell(new TaskLease.Notice.Paused(submission.work(), by));
        held.put(Id.of(submission), submission);
        watch();
        // resumed between the question and now
        releaseIfDue(submission);
    }

    private void releaseIfDue(Submission submission) {
        TaskLease lease = submission.work().lease();
        if (!lease.isOpen()) {
            held.remove(Id.of(submission));
            return;
        }
        boolean due = isTooLate(submission) || !(verdict(submission) instanceof Verdict.Paused);
        if (due && held.remove(Id.of(submission)) != null) {
            boolean suspect = Suspicion.of(submission.work().prompt()).isQuarantine();
            if (suspect && !isTooLate(submission) && !(verdict(submission) instanceof Verdict.Cancelled)) {
                // it had a place or a turn, which it gave back
                lease.tell(new TaskLease.Notice.Returned(submission.work()));
                return;
            }
            lease.tell(new TaskLease.Notice.Resumed(submission.work()));
            goOn.accept(submission);
        }
    }

    /** An engine has a request: cancels it where a command says so. */
    void cancelIfTold(Run run) {
        if (controls.verdict(run.prompt(), run.admittedAtMs()) instanceof Verdict.Cancelled(String message)) {
            run.cancelledBy(message);
            run.engine().cancel(run.id());
        }
    }

    /** A prompt may have to wait for its engine: its deadline goes on. */
    void mayWait(Submission submission) {
        if (submission.request().deadline().isPresent()) {
            watch();
        }
    }

    /** The commands have changed. Never blocks; several changes at once are one. */
    void changed() {
        if (changes.getAndIncrement() == 0) {
            threads.execute(this::applyChanges);
        }
    }

    /** One thread at a time, so that what is released together goes on in order. */
    private void applyChanges() {
        int seen;
        do {
            seen = changes.get();
            runs.live().forEach(this::cancelIfTold);
            look();
        } while (changes.addAndGet(-seen) != 0);
    }

    private void look() {
        AtomicBoolean deadlinesLeft = new AtomicBoolean();
        List<Submission> stopped = takeWaiting.apply(submission -> {
            boolean stop = isTooLate(submission) || !(verdict(submission) instanceof Verdict.Proceed);
            if (!stop && submission.request().deadline().isPresent()) {
                deadlinesLeft.set(true);
            }
            return stop;
        });
        // it asks again, and ends or holds them
        stopped.forEach(goOn);
        held.values().stream()
                .sorted(Comparator.comparingLong((Submission submission) ->
                                submission.work().key().offset())
                        .thenComparingInt(submission -> submission.work().key().partition()))
                .forEach(this::releaseIfDue);
        if (deadlinesLeft.get() || !held.isEmpty()) {
            watch();
        }
    }

    private void watch() {
        if (watching.compareAndSet(false, true)) {
            threads.after(LOOK_INTERVAL, () -> {
                watching.set(false);
                changed();
            });
        }
    }

    private Verdict verdict(Submission submission) {
        return controls.verdict(submission.prompt(), submission.work().prompt().admittedAtMs());
    }

    private boolean isTooLate(Submission submission) {
        return submission
                .deadlineNanos()
                .filter(deadline -> threads.nanoTime() - deadline >= 0)
                .isPresent();
    }
}
