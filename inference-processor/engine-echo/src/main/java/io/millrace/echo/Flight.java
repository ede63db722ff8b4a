package io.millrace.echo;

import io.millrace.engine.Completion;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Output;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A request in flight. All times are nanoseconds of the engine's clock. Guarded by its engine's lock. */
final class Flight {

    private static final double NANOS_PER_SECOND = 1e9;

    private final InferenceRequest request;
    private final long number;
    private final Echo echo;
    private final long admittedNanos;
    private final long deadlineNanos; // Long.MAX_VALUE: none
    private final Consumer<? super Completion> onCompletion;
    private int priority;
    private boolean isRunning;
    private long startNanos;
    private long firstTokenNanos;
    private double nanosPerToken;
    private int runningWith;

    /** @param number in the order of submission */
    Flight(
            InferenceRequest request,
            long number,
            Echo echo,
            long admittedNanos,
            long deadlineNanos,
            Consumer<? super Completion> onCompletion) {
        this.request = request;
        this.number = number;
        this.echo = echo;
        this.admittedNanos = admittedNanos;
        this.deadlineNanos = deadlineNanos;
        this.onCompletion = onCompletion;
        this.priority = request.priority();
    }

    InferenceRequest request() {
        return request;
    }

    long number() {
        return number;
    }

    Consumer<? super Completion> onCompletion() {
        return onCompletion;
    }

    long deadlineNanos() {
        return deadlineNanos;
    }

    boolean isRunning() {
        return isRunning;
    }

    int priority() {
        return priority;
    }

    void setPriority(int value) {
        priority = value;
    }

    /** It has a place, one of {@code running}. */
    void start(long nowNanos, Duration delay, double tokensPerSecond, int running) {
        isRunning = true;
        startNanos = nowNanos;
        firstTokenNanos = nowNanos + delay.toNanos();
        nanosPerToken = NANOS_PER_SECOND / tokensPerSecond;
        runningWith = running;
    }

    /** When its last token comes. */
    long endNanos() {
        return firstTokenNanos
                + Math.round(nanosPerToken * Math.max(0, echo.tokens().size() - 1));
    }

    int tokensAt(long nowNanos) {
        if (!isRunning || nowNanos < firstTokenNanos) {
            return 0;
        }
        int all = echo.tokens().size();
        return nowNanos >= endNanos() ? all : (int) Math.min(all, 1 + (nowNanos - firstTokenNanos) / nanosPerToken);
    }

    Completion.Usage usageAt(long nowNanos) {
        return new Completion.Usage(isRunning ? echo.promptTokens() : 0, 0, tokensAt(nowNanos));
    }

    Completion completed(ModelInfo model) {
        long end = endNanos();
        return new Completion.Completed(
                request.id(),
                model,
                Optional.empty(),
                new Output.Text(textOf(echo.tokens().size()), List.of(), List.of(), List.of()),
                echo.finishReason(),
                usageAt(end),
                timings(end),
                new Completion.BatchShare(Math.max(1, echo.tokens().size()), runningWith, runningWith, 0));
    }

    Completion failed(FailureCode code, String message, long nowNanos) {
        int tokens = tokensAt(nowNanos);
        return new Completion.Failed(
                request.id(),
                code,
                message,
                tokens == 0 ? Optional.empty() : Optional.of(textOf(tokens)),
                Optional.of(usageAt(nowNanos)),
                tokens == 0 ? Optional.empty() : Optional.of(timings(nowNanos)));
    }

    private String textOf(int tokens) {
        return String.join("", echo.tokens().subList(0, tokens));
    }

    private Completion.Timings timings(long endNanos) {
        return new Completion.Timings(
                startNanos - admittedNanos,
                firstTokenNanos - startNanos,
                endNanos - firstTokenNanos,
                firstTokenNanos - admittedNanos,
                endNanos - admittedNanos);
    }
}
