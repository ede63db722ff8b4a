package io.millrace.streams.intake;

import io.millrace.engine.Completion;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Rejection;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.control.Controls;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.records.PromptIdentity;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a ready request to its completion. Each model has a lane, in which requests wait while its engine is full or down.
 *
 * <p>Threads: intake threads submit, engine threads complete, stream threads adopt. Guards: lanes, runs and leases their
 * own; what follows a completion happens on an intake thread.
 */
final class Submissions {

    private static final Logger LOG = LoggerFactory.getLogger(Submissions.class);

    /** 68 years: more nanoseconds than that do not fit twice into a long. */
    private static final long MANY_SECONDS = Integer.MAX_VALUE;

    private static final RetryLane.BackOff ENGINE_FULL =
            new RetryLane.BackOff(Duration.ofMillis(20), Duration.ofMillis(500));
    private static final RetryLane.BackOff ENGINE_DOWN =
            new RetryLane.BackOff(Duration.ofMillis(100), Duration.ofSeconds(5));

    private static final RetryLane.BackOff HELD = new RetryLane.BackOff(Duration.ofSeconds(1), Duration.ofSeconds(5));

    private final Endings endings;
    private final Runs runs;
    private final Quarantine quarantine;
    private final GateSwitch gate;
    private final ProcessorObserver observer;
    private final IntakeThreads threads;
    private final Consumer<Work> resubmit;
    private final Commands commands;
    private final Map<Lane, RetryLane<Submission>> lanes = new ConcurrentHashMap<>();

    /** Where requests wait. Who runs alone must not wait behind those that wait for its end. */
    private record Lane(String model, boolean alone) {}

    /**
     * A prompt that is ready for its engine.
     *
     * @param name the model's
     */
    record Submission(Work work, PromptIdentity prompt, String name, InferenceEngine engine, InferenceRequest request) {

        /** On the clock of {@link Work#admittedNanos}: since the admission, as the wall clock was then. */
        Optional<Long> deadlineNanos() {
            return request.deadline().map(at -> {
                Duration allowed =
                        Duration.between(Instant.ofEpochMilli(work.prompt().admittedAtMs()), at);
                return work.admittedNanos()
                        + Math.clamp(allowed.toSeconds(), -MANY_SECONDS, MANY_SECONDS) * 1_000_000_000L
                        + allowed.toNanosPart();
            });
        }

        private Run run() {
            return new Run(work, name, engine, prompt, request.priority());
        }
    }

    /** @param resubmit takes a prompt from the start again */
    Submissions(
            Endings endings,
            Runs runs,
            Quarantine quarantine,
            GateSwitch gate,
            ProcessorObserver observer,
            IntakeThreads threads,
            Consumer<Work> resubmit,
            Controls controls) {
        this.endings = endings;
        this.runs = runs;
        this.quarantine = quarantine;
        this.gate = gate;
        this.observer = observer;
        this.threads = threads;
        this.resubmit = resubmit;
        this.commands = new Commands(controls, runs, endings, threads, this::submit, this::takeWaiting);
    }

    /** Gives it to its engine, now or when that takes it. */
    void submit(Submission submission) {
        if (commands.mayGoOn(submission)) {
            laneOf(submission).run(submission);
            commands.mayWait(submission);
        }
    }

    private RetryLane<Submission> laneOf(Submission submission) {
        Lane lane = new Lane(submission.name(), submission.work().prompt().alone());
        return lanes.computeIfAbsent(
                lane, made -> new RetryLane<>(threads, this::trySubmit, () -> gate.open(closure(made.model()))));
    }

    /** The commands in force have changed: what waits, runs or is paused gets what they say. Never blocks. */
    void commandsChanged() {
        commands.changed();
    }

    private List<Submission> takeWaiting(Predicate<Submission> matching) {
        return lanes.values().stream()
                .flatMap(lane -> lane.take(matching).stream())
                .toList();
    }

    /** Takes over what runs of the same prompt without an owner. Answers whether there is such. Never blocks. */
    boolean adopt(Work work) {
        Optional<Run.Adoption> adoption = runs.adopt(work);
        adoption.ifPresent(taken -> taken.completion().ifPresent(done -> end(work, taken.run(), done)));
        return adoption.isPresent();
    }

    private Optional<RetryLane.BackOff> trySubmit(Submission submission) {
        if (!commands.mayGoOn(submission)) {
            return Optional.empty();
        }
        Work work = submission.work();
        Run run = submission.run();
        switch (runs.enter(run)) {
            case ENTERED -> {}
            case HELD -> {
                // kicked when the other has ended; by the clock only where the task closes meanwhile
                return work.lease().isOpen() ? Optional.of(HELD) : Optional.empty();
            }
            case CLOSED -> {
                return Optional.empty();
            }
        }
        if (!work.lease().attach(run)) {
            // a closed task's: its next owner has it
            left(run);
            return Optional.empty();
        }
        Optional<Rejection> rejection;
        try {
            rejection = submission.engine().submit(submission.request(), completion -> onCompletion(run, completion));
        } catch (RuntimeException e) {
            LOG.error("engine {} threw on submit of {}", submission.name(), run.id(), e);
            String message = "the engine threw: " + e;
            onCompletion(run, Completion.Failed.of(run.id(), FailureCode.ENGINE_ERROR, message));
            return Optional.empty();
        }
        if (rejection.isPresent()) {
            return refused(submission, run, rejection.get());
        }
        runs.entered(run);
        // a command that came between the two met a request that the engine did not know yet
        commands.cancelIfTold(run);
        gate.open(closure(submission.name()));
        return Optional.empty();
    }

    private Optional<RetryLane.BackOff> refused(Submission submission, Run run, Rejection rejection) {
        observer.rejected(submission.name());
        Optional<Work> wanting = runs.refuse(run);
        if (wanting.isEmpty()) {
            left(run);
            return Optional.empty();
        }
        if (wanting.get().lease() != submission.work().lease()) {
            // adopted while the engine made up its mind
            threads.execute(() -> resubmit.accept(wanting.get()));
            return Optional.empty();
        }
        return Optional.of(backOff(submission.name(), rejection));
    }

    private RetryLane.BackOff backOff(String name, Rejection rejection) {
        return switch (rejection.reason()) {
            // a full engine is alive: what is pending keeps the gate, not the engine
            case QUEUE_FULL -> ENGINE_FULL;
            case UNAVAILABLE, CLOSED -> {
                gate.close(closure(name), rejection.message());
                yield ENGINE_DOWN;
            }
        };
    }

    /** On the engine's thread: returns at once. */
    private void onCompletion(Run run, Completion engines) {
        runs.leave(run);
        Completion completion = run.explained(engines);
        Optional<Work> owner = run.complete(completion);
        owner.ifPresent(work -> end(work, run, completion));
        if (owner.isEmpty()) {
            // an owner gives its turn back itself, once its ending is committed
            quarantine.giveTurnBack(run.key());
        }
        lanes.forEach((lane, waiting) -> {
            if (lane.model().equals(run.model())) {
                waiting.kick();
            }
        });
    }

    /** No engine has it any more. */
    private void left(Run run) {
        runs.leave(run);
        quarantine.giveTurnBack(run.key());
    }

    /** Something that kept all out of the engines is over. */
    void kick() {
        lanes.values().forEach(RetryLane::kick);
    }

    private void end(Work work, Run run, Completion completion) {
        threads.execute(() -> endings.completed(work, run.prompt(), completion));
    }

    private static Closure closure(String model) {
        return new Closure(Closure.Reason.ENGINE, model);
    }
}
