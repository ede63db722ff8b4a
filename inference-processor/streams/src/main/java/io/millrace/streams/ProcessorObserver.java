package io.millrace.streams;

import io.millrace.schemas.ControlAction;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.records.Outcome;

/**
 * Told what happens, for metrics. Gauges (pending, gate, engine statistics) are read from {@link
 * io.millrace.streams.app.ProcessorApp} instead.
 *
 * <p>Calls come from stream threads and intake threads; implementations return quickly and do not throw.
 */
public interface ProcessorObserver {

    /** Ignores everything. */
    ProcessorObserver NONE = new ProcessorObserver() {};

    /** A prompt was read from its topic. */
    default void admitted() {}

    /** Prompts were found in a restored store, and are submitted again: no request of theirs could be adopted. */
    default void recovered(int prompts) {}

    /** A recovered prompt is suspected of killing the process: it runs with a few others of its kind, or alone. */
    default void quarantined() {}

    /** The process that ran a prompt alone has died. */
    default void struck() {}

    /** Requests in engines have lost their owner, whose task was closed. */
    default void orphaned(int runs) {}

    /**
     * An orphaned request got a new owner.
     *
     * @param generatedTokens tokens that need not be generated again, as far as the engine can tell
     */
    default void adopted(String model, int generatedTokens) {}

    /** An orphaned request was cancelled: nobody has taken it over. */
    default void orphanExpired() {}

    /** A prompt's ending was forwarded: a result, a failure or a dead letter. */
    default void settled(Outcome outcome) {}

    /** An engine did not take a request now. */
    default void rejected(String model) {}

    /** A command of the control topic is in force, one that was given before the start too. */
    default void commandApplied(ControlAction action) {}

    /** A record of the control topic makes no command. */
    default void commandSkipped() {}

    /** The gate was closed for a reason. */
    default void gateClosed(Closure closure) {}

    /** The gate was opened again. */
    default void gateOpened(Closure closure) {}

    /** A transaction was committed. */
    default void committed(long nanos) {}

    /** A stream thread died of an exception and was replaced. */
    default void threadReplaced() {}
}
