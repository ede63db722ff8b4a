package io.millrace.engine;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * Runs requests on one model, batching them as it sees fit.
 *
 * <p>Threads: every method may be called from any thread and none blocks on the model's work. An accepted request gets
 * exactly one {@link Completion}, on a thread of the engine, never inside {@link #submit}; the callback must return quickly
 * and not throw. After {@link #close}, or once the engine is unhealthy for good, no callback runs: what was accepted and not
 * completed has neither failed nor succeeded.
 */
public interface InferenceEngine extends AutoCloseable {

    /** What is served here: name, version and digest as results report them. */
    ModelInfo model();

    /**
     * Takes a request, or says that it cannot take one now. A request that is wrong in itself (a parameter out of range,
     * a prompt longer than the context) is accepted and completes with {@link Completion.Failed}.
     *
     * <p>The caller's thread tokenizes the prompt: time that grows with the prompt, not with the engine's load.
     *
     * @return empty when accepted; else why not now, and the callback is never called
     * @throws IllegalArgumentException when a request of the same id is in flight
     */
    Optional<Rejection> submit(InferenceRequest request, Consumer<? super Completion> onCompletion);

    /** Stops work on a request; it completes with {@link FailureCode#CANCELLED} unless it already has. Unknown ids are ignored. */
    void cancel(String requestId);

    /** Counters and gauges, consistent with one another. */
    EngineStats stats();

    /** Stops at the next step boundary and frees memory. Idempotent. */
    @Override
    void close();
}
