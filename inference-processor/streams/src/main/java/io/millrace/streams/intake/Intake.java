package io.millrace.streams.intake;

import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.InvalidRequestException;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.InvalidFieldException;
import io.millrace.schemas.serde.RegistryUnavailableException;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.control.Controls;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.Gate;
import io.millrace.streams.pending.Payload;
import io.millrace.streams.pending.Suspicion;
import io.millrace.streams.records.FailureReport;
import io.millrace.streams.records.Origin;
import io.millrace.streams.records.OutcomeEncoder;
import io.millrace.streams.records.PromptIdentity;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a raw record to an engine ({@link Submissions}), and from an ending to records ({@link Endings}). Each prompt that
 * is offered or adopted either settles under its lease exactly once, or its lease is closed.
 *
 * <p>Threads: stream threads offer, adopt and never wait; everything else happens on intake threads. Guards: a semaphore
 * bounds admissions that wait for a thread; the lanes guard themselves; the rest is immutable or concurrent.
 */
public final class Intake implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Intake.class);

    /** Admissions that may wait for each thread: enough to keep it busy between two drains, few enough to stay fair. */
    private static final int QUEUED_PER_THREAD = 64;

    private static final Closure REGISTRY = new Closure(Closure.Reason.REGISTRY, "prompts");

    private static final String CONVICTION = Suspicion.MAX_STRIKES
            + " times in a row the process that ran this prompt, and nothing else, has died; it is not run again";

    private final Deserializer<PromptRequest> deserializer;
    private final Models models;
    private final GateSwitch gate;
    private final IntakeThreads threads;
    private final Semaphore room;
    private final Controls controls = new Controls();
    private final RetryLane<Work> admissions;
    private final Runs runs;
    private final Endings endings;
    private final Quarantine quarantine;
    private final Inquest inquest;
    private final Submissions submissions;

    /**
     * @param threadCount how many threads {@code threads} has; bounds admissions in flight
     * @param deserializer of prompts; safe for use by several threads
     * @param process this one, as the marks of prompts that run alone name it
     * @param members tells whether other processes live
     * @param orphanGrace how long requests of a task that has closed run on, until they are cancelled; zero for not at all
     */
    public Intake(
            Deserializer<PromptRequest> deserializer,
            Models models,
            OutcomeEncoder encoder,
            Gate gate,
            ProcessorObserver observer,
            IntakeThreads threads,
            int threadCount,
            Duration orphanGrace,
            UUID process,
            GroupMembers members) {
        this.deserializer = deserializer;
        this.models = models;
        this.gate = new GateSwitch(gate, observer);
        this.threads = threads;
        this.room = new Semaphore(threadCount * QUEUED_PER_THREAD);
        // whoever waited may have lost its task: a gate that nobody tries to open again would stay closed for ever
        this.admissions = new RetryLane<>(threads, this::tryAdmit, () -> this.gate.open(REGISTRY));
        this.runs = new Runs(orphanGrace, threads, observer);
        this.endings = new Endings(encoder, this.gate, threads);
        this.quarantine = new Quarantine(process, runs, threads::nanoTime, this::turnIsOver);
        this.inquest = new Inquest(members, threads, this.gate);
        this.submissions =
                new Submissions(endings, runs, quarantine, this.gate, observer, threads, admissions::run, controls);
    }

    private void turnIsOver() {
        submissions.kick();
    }

    /**
     * A lease for a task that begins.
     *
     * @param decision what the task decides before its prompts may run
     */
    public TaskLease lease(String task, TaskLease.Decision decision) {
        return new TaskLease(task, runs, decision);
    }

    /** Whether an earlier life of the task left a request of this prompt in an engine, and the prompt has no id of its own. */
    public boolean runsWithoutId(Work work) {
        return runs.orphan(work.key())
                .map(run -> run.prompt().requestId().equals(work.origin().id()))
                .orElse(false);
    }

    /** Who of the prompts that may have killed a process may run. */
    public Quarantine quarantine() {
        return quarantine;
    }

    /**
     * Finds out whether the process that a prompt's mark names has died. The answer comes as a notice of the prompt's
     * lease, after seconds. Never blocks.
     */
    public void askAfterOwner(Work work) {
        inquest.open(work);
    }

    /**
     * Takes over what an earlier life of the task left in an engine of this process, if it is of the same prompt: its
     * ending comes under the work's lease. Never blocks.
     *
     * @return false where there is no such thing: the prompt is to be offered
     */
    public boolean adopt(Work work) {
        return submissions.adopt(work);
    }

    /** The commands in force. Whoever changes them says so by {@link #commandsChanged}. */
    public Controls controls() {
        return controls;
    }

    /** Applies the commands in force to what waits, runs or is paused; what comes later asks them itself. Never blocks. */
    public void commandsChanged() {
        submissions.commandsChanged();
    }

    /** Takes a prompt, or says that it has no room now: offer it again at the next drain. Never blocks. */
    public boolean offer(Work work) {
        if (!room.tryAcquire()) {
            return false;
        }
        threads.execute(() -> {
            try {
                admissions.run(work);
            } finally {
                room.release();
            }
        });
        return true;
    }

    /** Cancels what is in engines, and drops what waits: all of it is in the pending store. */
    @Override
    public void close() {
        runs.close();
        threads.close();
    }

    private Optional<RetryLane.BackOff> tryAdmit(Work work) {
        if (!work.lease().isOpen()) {
            return Optional.empty();
        }
        try {
            admit(work);
            gate.open(REGISTRY);
            return Optional.empty();
        } catch (RegistryUnavailableException e) {
            gate.close(REGISTRY, String.valueOf(e.getMessage()));
            return Optional.of(RetryLane.BackOff.REGISTRY);
        } catch (RuntimeException | StackOverflowError e) {
            // our own fault, but every instance would meet the same prompt
            LOG.error("intake broke on {}", work.origin().id(), e);
            FailureReport report = FailureReport.of(FailureCode.ENGINE_ERROR, "intake broke on this prompt: " + e);
            endings.fail(work, PromptIdentity.unknown(work.origin()), report);
            return Optional.empty();
        }
    }

    private void admit(Work work) {
        switch (work.prompt().payload()) {
            case Payload.TooLarge size -> endings.fail(work, PromptIdentity.unknown(work.origin()), tooLarge(size));
            case Payload.Absent _ ->
                endings.fail(
                        work,
                        PromptIdentity.unknown(work.origin()),
                        FailureReport.of(FailureCode.INVALID_REQUEST, "value=null, expected=a PromptRequest"));
            case Payload.Raw raw -> decode(work, raw.bytes());
        }
    }

    private static FailureReport tooLarge(Payload.TooLarge size) {
        return FailureReport.of(
                FailureCode.PROMPT_TOO_LARGE,
                "record=" + size.sizeBytes() + " bytes, expected=at most " + size.limitBytes() + " bytes");
    }

    private void decode(Work work, byte[] value) {
        Origin origin = work.origin();
        PromptRequest prompt;
        try {
            prompt = deserializer.deserialize(origin.topic(), new RecordHeaders(origin.headers()), value);
        } catch (RegistryUnavailableException e) {
            throw e;
        } catch (InvalidFieldException e) {
            endings.fail(
                    work,
                    RequestFactory.identity(origin, e),
                    FailureReport.of(FailureCode.INVALID_REQUEST, String.valueOf(e.getMessage())));
            return;
        } catch (SerializationException e) {
            endings.undecodable(work, value, e);
            return;
        } catch (RuntimeException | StackOverflowError e) {
            // a decoder that breaks on some bytes must not stop the partition
            LOG.warn("the decoder broke on {}", origin.id(), e);
            endings.undecodable(work, value, new SerializationException("the decoder broke: " + e, e));
            return;
        }
        route(work, prompt);
    }

    private void route(Work work, PromptRequest prompt) {
        String name = models.nameOrDefault(prompt.getModel());
        PromptIdentity identity = RequestFactory.identity(work.origin(), prompt).forModel(name);
        if (Suspicion.of(work.prompt()) == Suspicion.CONVICTED) {
            LOG.error("{} is given up: {}", work.origin().id(), CONVICTION);
            endings.fail(work, identity, FailureReport.of(FailureCode.ENGINE_ERROR, CONVICTION));
            return;
        }
        Optional<ServedModel> model = models.find(name);
        if (model.isEmpty()) {
            String message = "model=" + name + ", expected=" + models.knownNames();
            endings.fail(work, identity, FailureReport.of(FailureCode.MODEL_NOT_FOUND, message));
            return;
        }
        InferenceRequest request;
        try {
            request = RequestFactory.request(work, prompt, model.get().defaults());
        } catch (InvalidRequestException e) {
            endings.fail(work, identity, FailureReport.of(FailureCode.INVALID_REQUEST, String.valueOf(e.getMessage())));
            return;
        }
        Submissions.Submission submission =
                new Submissions.Submission(work, identity, name, model.get().engine(), request);
        String requestId = prompt.getRequestId();
        if (!work.lease().decidesByRequestId()) {
            submissions.submit(submission);
        } else if (requestId != null) {
            work.lease().tell(new TaskLease.Notice.Asks(work, requestId, new Answer(submission)));
        } else if (!submissions.adopt(work)) {
            submissions.submit(submission);
        }
    }

    /** On the task's stream thread. */
    private final class Answer implements TaskLease.Answer {

        private final Submissions.Submission submission;

        private Answer(Submissions.Submission submission) {
            this.submission = submission;
        }

        @Override
        public void goOn() {
            threads.execute(() -> submissions.submit(submission));
        }

        @Override
        public void duplicateOf(String first) {
            PromptIdentity prompt = submission.prompt();
            String message = "request_id=" + prompt.requestId() + " was taken by " + first
                    + " a moment ago: this prompt is not run (processor.deduplication)";
            FailureReport report = FailureReport.of(FailureCode.DUPLICATE_REQUEST, message);
            threads.execute(() -> endings.fail(submission.work(), prompt, report));
        }
    }
}
