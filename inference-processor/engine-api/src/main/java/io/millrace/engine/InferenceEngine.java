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

    /**
     * Changes the priority of a request in flight, some time soon. Lower is earlier among waiting requests; of running ones
     * the highest number loses its place first where memory runs short, then the latest arrival. Unknown ids are ignored, and
     * by engines that know no priorities all are.
     */
    default void setPriority(String requestId, int priority) {}

    /** Tokens generated so far for a request in flight, at least 0; 0 for unknown ids and by engines that cannot tell. */
    default int generatedTokens(String requestId) {
        return 0;
    }

    /**
     * What the engine is at, several lines for people: its batch and the requests in it. Answers also while a step hangs, from
     * what was last known.
     */
    default String describe() {
        return model().name() + ": " + stats();
    }

    /**
     * Whether the engine is unhealthy for good: it takes and completes nothing more, and only a new process helps. Not so for
     * one whose server may come back.
     */
    default boolean isBroken() {
        return false;
    }

    /**
     * Whether requests make no progress because a server takes none for now: it is away, overloaded or reserved for others.
     * Such an engine is not stalled: a new process would wait as well.
     */
    default boolean awaitsServer() {
        return false;
    }

    /** Counters and gauges, consistent with one another. */
    EngineStats stats();

    /** Stops at the next step boundary and frees memory. Idempotent. */
    @Override
    void close();
}
