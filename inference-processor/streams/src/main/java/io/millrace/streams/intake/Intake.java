package io.millrace.streams.intake;

import io.millrace.engine.Completion;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.Rejection;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.InvalidFieldException;
import io.millrace.schemas.serde.RegistryUnavailableException;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.Gate;
import io.millrace.streams.pending.Payload;
import io.millrace.streams.records.FailureReport;
import io.millrace.streams.records.Origin;
import io.millrace.streams.records.Outcome;
import io.millrace.streams.records.OutcomeEncoder;
import io.millrace.streams.records.PromptIdentity;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a raw record to an engine, and from an ending to records. Each prompt that is offered either settles under its
 * lease exactly once, or its lease is closed.
 *
 * <p>Threads: stream threads offer and never wait; everything else happens on intake threads. Guards: a semaphore bounds
 * admissions that wait for a thread; the lanes guard themselves; the rest is immutable or concurrent.
 */
public final class Intake implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Intake.class);

    /** Admissions that may wait for each thread: enough to keep it busy between two drains, few enough to stay fair. */
    private static final int QUEUED_PER_THREAD = 64;

    private static final RetryLane.BackOff REGISTRY =
            new RetryLane.BackOff(Duration.ofMillis(100), Duration.ofSeconds(5));
    private static final RetryLane.BackOff ENGINE_FULL =
            new RetryLane.BackOff(Duration.ofMillis(20), Duration.ofMillis(500));
    private static final RetryLane.BackOff ENGINE_DOWN =
            new RetryLane.BackOff(Duration.ofMillis(100), Duration.ofSeconds(5));

    private static final Closure PROMPTS_REGISTRY = new Closure(Closure.Reason.REGISTRY, "prompts");
    private static final Closure OUTPUTS_REGISTRY = new Closure(Closure.Reason.REGISTRY, "outputs");

    private final Deserializer<PromptRequest> deserializer;
    private final Models models;
    private final OutcomeEncoder encoder;
    private final Gate gate;
    private final ProcessorObserver observer;
    private final IntakeThreads threads;
    private final Semaphore room;
    private final RetryLane<Work> admissions;
    private final RetryLane<Ending> endings;
    private final Map<String, RetryLane<Submission>> engines = new ConcurrentHashMap<>();

    /** A prompt that is ready for its engine. */
    private record Submission(Work work, PromptIdentity prompt, ServedModel model, InferenceRequest request) {}

    /** An ending that is still to be made into records. */
    private record Ending(Work work, Supplier<Outcome> encode) {}

    /**
     * @param threadCount how many threads {@code threads} has; bounds admissions in flight
     * @param deserializer of prompts; safe for use by several threads
     */
    public Intake(
            Deserializer<PromptRequest> deserializer,
            Models models,
            OutcomeEncoder encoder,
            Gate gate,
            ProcessorObserver observer,
            IntakeThreads threads,
            int threadCount) {
        this.deserializer = deserializer;
        this.models = models;
        this.encoder = encoder;
        this.gate = gate;
        this.observer = observer;
        this.threads = threads;
        this.room = new Semaphore(threadCount * QUEUED_PER_THREAD);
        // whoever waited may have lost its task: a gate that nobody tries to open again would stay closed for ever
        this.admissions = new RetryLane<>(threads, this::tryAdmit, () -> openGate(PROMPTS_REGISTRY));
        this.endings = new RetryLane<>(threads, this::tryEncode, () -> openGate(OUTPUTS_REGISTRY));
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

    @Override
    public void close() {
        threads.close();
    }

    private Optional<RetryLane.BackOff> tryAdmit(Work work) {
        if (!work.lease().isOpen()) {
            return Optional.empty();
        }
        try {
            admit(work);
            openGate(PROMPTS_REGISTRY);
            return Optional.empty();
        } catch (RegistryUnavailableException e) {
            closeGate(PROMPTS_REGISTRY, String.valueOf(e.getMessage()));
            return Optional.of(REGISTRY);
        } catch (RuntimeException | StackOverflowError e) {
            // our own fault, but every instance would meet the same prompt
            LOG.error("intake broke on {}", work.origin().id(), e);
            FailureReport report = FailureReport.of(FailureCode.ENGINE_ERROR, "intake broke on this prompt: " + e);
            fail(work, PromptIdentity.unknown(work.origin()), report);
            return Optional.empty();
        }
    }

    private void admit(Work work) {
        switch (work.prompt().payload()) {
            case Payload.TooLarge size -> fail(work, PromptIdentity.unknown(work.origin()), tooLarge(size));
            case Payload.Absent _ ->
                fail(
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
            fail(
                    work,
                    RequestFactory.identity(origin, e),
                    FailureReport.of(FailureCode.INVALID_REQUEST, String.valueOf(e.getMessage())));
            return;
        } catch (SerializationException e) {
            undecodable(work, value, e);
            return;
        } catch (RuntimeException | StackOverflowError e) {
            // a decoder that breaks on some bytes must not stop the partition
            LOG.warn("the decoder broke on {}", origin.id(), e);
            undecodable(work, value, new SerializationException("the decoder broke: " + e, e));
            return;
        }
        route(work, prompt);
    }

    private void undecodable(Work work, byte[] value, Exception cause) {
        settle(work, () -> encoder.undecodable(work.origin(), value, cause));
    }

    private void route(Work work, PromptRequest prompt) {
        String name = models.nameOrDefault(prompt.getModel());
        PromptIdentity identity = RequestFactory.identity(work.origin(), prompt).forModel(name);
        Optional<ServedModel> model = models.find(name);
        if (model.isEmpty()) {
            String message = "model=" + name + ", expected=" + models.knownNames();
            fail(work, identity, FailureReport.of(FailureCode.MODEL_NOT_FOUND, message));
            return;
        }
        InferenceRequest request;
        try {
            request = RequestFactory.request(work, prompt, model.get().defaults());
        } catch (InvalidRequestException e) {
            fail(work, identity, FailureReport.of(FailureCode.INVALID_REQUEST, String.valueOf(e.getMessage())));
            return;
        }
        laneOf(name).run(new Submission(work, identity, model.get(), request));
    }

    private RetryLane<Submission> laneOf(String model) {
        return engines.computeIfAbsent(
                model,
                name -> new RetryLane<>(
                        threads, submission -> trySubmit(name, submission), () -> openGate(engineClosure(name))));
    }

    private Optional<RetryLane.BackOff> trySubmit(String name, Submission submission) {
        Work work = submission.work();
        if (!work.lease().isOpen()) {
            return Optional.empty();
        }
        InferenceEngine engine = submission.model().engine();
        work.lease().started(work, engine);
        Optional<Rejection> rejection;
        try {
            rejection = engine.submit(submission.request(), completion -> onCompletion(name, submission, completion));
        } catch (RuntimeException e) {
            LOG.error("engine {} threw on submit of {}", name, work.engineId(), e);
            work.lease().ended(work);
            fail(work, submission.prompt(), FailureReport.of(FailureCode.ENGINE_ERROR, "the engine threw: " + e));
            return Optional.empty();
        }
        if (rejection.isPresent()) {
            work.lease().ended(work);
            observer.rejected(name);
            return Optional.of(backOff(name, rejection.get()));
        }
        if (!work.lease().isOpen()) {
            // closed between the two: its own cancel may have come before the submit
            engine.cancel(work.engineId());
        }
        openGate(engineClosure(name));
        return Optional.empty();
    }

    private RetryLane.BackOff backOff(String name, Rejection rejection) {
        return switch (rejection.reason()) {
            // a full engine is alive: what is pending keeps the gate, not the engine
            case QUEUE_FULL -> ENGINE_FULL;
            case UNAVAILABLE, CLOSED -> {
                closeGate(engineClosure(name), rejection.message());
                yield ENGINE_DOWN;
            }
        };
    }

    /** On the engine's thread: returns at once. */
    private void onCompletion(String name, Submission submission, Completion completion) {
        Work work = submission.work();
        work.lease().ended(work);
        threads.execute(() -> {
            switch (completion) {
                case Completion.Completed done ->
                    settle(work, () -> encoder.completed(work.origin(), submission.prompt(), done));
                case Completion.Failed failed -> fail(work, submission.prompt(), FailureReport.of(failed));
            }
        });
        laneOf(name).kick();
    }

    private void fail(Work work, PromptIdentity prompt, FailureReport report) {
        settle(work, () -> encoder.failed(work.origin(), prompt, report));
    }

    private void settle(Work work, Supplier<Outcome> encode) {
        endings.run(new Ending(work, encode));
    }

    private Optional<RetryLane.BackOff> tryEncode(Ending ending) {
        if (!ending.work().lease().isOpen()) {
            return Optional.empty();
        }
        Outcome outcome;
        try {
            outcome = encode(ending);
        } catch (RuntimeException e) {
            // the registry does not answer, or what is registered there refuses our schema: no fault of the prompt
            closeGate(OUTPUTS_REGISTRY, String.valueOf(e));
            return Optional.of(REGISTRY);
        }
        openGate(OUTPUTS_REGISTRY);
        ending.work().lease().settle(ending.work(), outcome);
        return Optional.empty();
    }

    private static Closure engineClosure(String model) {
        return new Closure(Closure.Reason.ENGINE, model);
    }

    private Outcome encode(Ending ending) {
        try {
            return ending.encode().get();
        } catch (KafkaException e) {
            throw e;
        } catch (RuntimeException e) {
            Origin origin = ending.work().origin();
            LOG.error("the answer to {} cannot be written", origin.id(), e);
            FailureReport report =
                    FailureReport.of(FailureCode.ENGINE_ERROR, "the engine's answer cannot be written: " + e);
            return encoder.failed(origin, PromptIdentity.unknown(origin), report);
        }
    }

    private void closeGate(Closure closure, String why) {
        if (gate.close(closure)) {
            LOG.warn("gate closed: {}: {}", closure, why);
            observer.gateClosed(closure);
        }
    }

    private void openGate(Closure closure) {
        if (gate.open(closure)) {
            LOG.info("gate opened: {}", closure);
            observer.gateOpened(closure);
        }
    }
}
