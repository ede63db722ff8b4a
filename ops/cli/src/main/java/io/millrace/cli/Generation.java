package io.millrace.cli;

import io.millrace.engine.Completion;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Rejection;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

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

    /** Hears once why nothing is answered for now. */
    interface Waiting {
        void note(String why);
    }

    private static final long PATIENCE_MS = 2_000;
    private static final long AGAIN_MS = 100;

    private record Asked(long line, CompletableFuture<Completion> answer) {}

    private final InferenceEngine engine;
    private final Sink sink;
    private final Waiting waiting;
    private boolean hasNoted;
    private final ArrayDeque<Asked> asked = new ArrayDeque<>();

    Generation(InferenceEngine engine, Sink sink, Waiting waiting) {
        this.engine = engine;
        this.sink = sink;
        this.waiting = waiting;
    }

    /** Asks; waits for earlier answers while the engine is full, and for its server while that is away. */
    void ask(long line, InferenceRequest request) throws InterruptedException {
        if (asked.size() >= MAX_AHEAD) {
            takeOldest();
        }
        var answer = new CompletableFuture<Completion>();
        long refusedMs = 0;
        for (Optional<Rejection> refused = engine.submit(request, answer::complete);
                refused.isPresent();
                refused = engine.submit(request, answer::complete)) {
            Rejection rejection = refused.get();
            if (rejection.reason() == Rejection.Reason.QUEUE_FULL && !asked.isEmpty()) {
                takeOldest();
            } else if (rejection.reason() == Rejection.Reason.UNAVAILABLE && !engine.isBroken()) {
                if (refusedMs >= PATIENCE_MS) {
                    note(rejection.message());
                }
                TimeUnit.MILLISECONDS.sleep(AGAIN_MS);
                refusedMs += AGAIN_MS;
            } else {
                throw new CliException(ExitCode.INTERNAL, "the engine takes no request: " + rejection.message());
            }
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
            while (true) {
                try {
                    sink.answer(oldest.line(), oldest.answer().get(PATIENCE_MS, TimeUnit.MILLISECONDS));
                    return;
                } catch (TimeoutException e) {
                    if (engine.awaitsServer()) {
                        // after the engine's own counters
                        note(engine.describe().lines().skip(1).collect(Collectors.joining("; ")));
                    }
                }
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("engine callbacks only complete", e);
        }
    }

    private void note(String why) {
        if (!hasNoted) {
            waiting.note(why);
        }
        hasNoted = true;
    }
}
