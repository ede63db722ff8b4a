package io.millrace.cli;

import io.millrace.engine.Completion;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Rejection;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Requests through one engine together, answers in the order in which they were asked.
 *
 * <p>Bound: {@value #MAX_AHEAD} requests beyond the oldest unanswered one, and what the engine takes.
 */
final class Generation {

    /** Many times a batch, so that a long answer at the head does not empty the batch behind it. */
    static final int MAX_AHEAD = 1_024;

    /** Hears each answer, in order. */
    interface Sink {
        void answer(long line, Completion completion);
    }

    private record Asked(long line, CompletableFuture<Completion> answer) {}

    private final InferenceEngine engine;
    private final Sink sink;
    private final ArrayDeque<Asked> asked = new ArrayDeque<>();

    Generation(InferenceEngine engine, Sink sink) {
        this.engine = engine;
        this.sink = sink;
    }

    /** Asks; waits for earlier answers while the engine is full. */
    void ask(long line, InferenceRequest request) throws InterruptedException {
        if (asked.size() >= MAX_AHEAD) {
            takeOldest();
        }
        var answer = new CompletableFuture<Completion>();
        Optional<Rejection> rejection = engine.submit(request, answer::complete);
        while (rejection.isPresent()) {
            if (rejection.get().reason() != Rejection.Reason.QUEUE_FULL || asked.isEmpty()) {
                throw new CliException(
                        ExitCode.INTERNAL,
                        "the engine takes no request: " + rejection.get().message());
            }
            takeOldest();
            rejection = engine.submit(request, answer::complete);
        }
        asked.addLast(new Asked(line, answer));
        while (!asked.isEmpty() && asked.getFirst().answer().isDone()) {
            takeOldest();
        }
    }

    /** Notes an answer that no engine had to give, in its place among the others. */
    void answered(long line, Completion completion) throws InterruptedException {
        if (asked.size() >= MAX_AHEAD) {
            takeOldest();
        }
        asked.addLast(new Asked(line, CompletableFuture.completedFuture(completion)));
    }

    /** Waits for all answers. */
    void finish() throws InterruptedException {
        while (!asked.isEmpty()) {
            takeOldest();
        }
    }

    private void takeOldest() throws InterruptedException {
        Asked oldest = asked.removeFirst();
        try {
            sink.answer(oldest.line(), oldest.answer().get());
        } catch (ExecutionException e) {
            throw new IllegalStateException("engine callbacks only complete", e);
        }
    }
}
