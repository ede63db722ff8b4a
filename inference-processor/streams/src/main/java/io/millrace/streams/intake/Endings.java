package io.millrace.streams.intake;

import io.millrace.engine.Completion;
import io.millrace.engine.FailureCode;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.records.FailureReport;
import io.millrace.streams.records.Origin;
import io.millrace.streams.records.Outcome;
import io.millrace.streams.records.OutcomeEncoder;
import io.millrace.streams.records.PromptIdentity;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From how a prompt ended to the records that say so, under the lease of whoever owns it. Serializers may ask a registry;
 * while that does not answer, endings wait here and the gate is closed.
 *
 * <p>Threads: intake threads. Guards: the lane's own.
 */
final class Endings {

    private static final Logger LOG = LoggerFactory.getLogger(Endings.class);

    private static final Closure REGISTRY = new Closure(Closure.Reason.REGISTRY, "outputs");

    private final OutcomeEncoder encoder;
    private final GateSwitch gate;
    private final RetryLane<Ending> lane;

    /** An ending that is still to be made into records. */
    private record Ending(Work work, Supplier<Outcome> encode) {}

    Endings(OutcomeEncoder encoder, GateSwitch gate, IntakeThreads threads) {
        this.encoder = encoder;
        this.gate = gate;
        // whoever waited may have lost its task: a gate that nobody tries to open again would stay closed for ever
        this.lane = new RetryLane<>(threads, this::tryEncode, () -> gate.open(REGISTRY));
    }

    void completed(Work work, PromptIdentity prompt, Completion completion) {
        switch (completion) {
            case Completion.Completed done -> settle(work, () -> encoder.completed(work.origin(), prompt, done));
            case Completion.Failed failed -> fail(work, prompt, FailureReport.of(failed));
        }
    }

    void fail(Work work, PromptIdentity prompt, FailureReport report) {
        settle(work, () -> encoder.failed(work.origin(), prompt, report));
    }

    void undecodable(Work work, byte[] value, Exception cause) {
        settle(work, () -> encoder.undecodable(work.origin(), value, cause));
    }

    private void settle(Work work, Supplier<Outcome> encode) {
        lane.run(new Ending(work, encode));
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
            gate.close(REGISTRY, String.valueOf(e));
            return Optional.of(RetryLane.BackOff.REGISTRY);
        }
        gate.open(REGISTRY);
        ending.work().lease().settle(ending.work(), outcome);
        gate.ring();
        return Optional.empty();
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
}
