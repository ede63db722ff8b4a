package io.millrace.streams;

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

    /** Prompts were found in a restored store, and are submitted again. */
    default void recovered(int prompts) {}

    /** A prompt's ending was forwarded: a result, a failure or a dead letter. */
    default void settled(Outcome outcome) {}

    /** An engine did not take a request now. */
    default void rejected(String model) {}

    /** The gate was closed for a reason. */
    default void gateClosed(Closure closure) {}

    /** The gate was opened again. */
    default void gateOpened(Closure closure) {}

    /** A transaction was committed. */
    default void committed(long nanos) {}

    /** A stream thread died of an exception and was replaced. */
    default void threadReplaced() {}
}
