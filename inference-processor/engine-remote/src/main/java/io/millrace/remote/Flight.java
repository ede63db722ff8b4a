package io.millrace.remote;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.BatchShare;
import io.millrace.engine.Completion.Timings;
import io.millrace.engine.Completion.Usage;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.ModelInfo;
import io.millrace.remote.protocol.Answer;
import io.millrace.remote.protocol.ServerCall;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An accepted request until its completion.
 *
 * <p>Threads: the engine's monitor guards it; {@code parts} is written by the thread of its attempt.
 */
final class Flight {

    private final InferenceRequest request;
    private final ServerCall call;
    private final Consumer<? super Completion> onCompletion;
    private final long deadlineNanos;
    private long arrival;
    private int priority;
    private int failures;
    private int strikes;
    private long retryNanos;
    private boolean sentBefore;
    private boolean cancelled;
    private @Nullable Attempt attempt;
    private volatile int parts;

    Flight(InferenceRequest request, ServerCall call, Consumer<? super Completion> onCompletion, RemoteClock clock) {
        this.request = request;
        this.call = call;
        this.onCompletion = onCompletion;
        priority = request.priority();
        deadlineNanos = request.deadline()
                .map(at -> clock.nanoTime() + saturatedNanos(Duration.between(clock.now(), at)))
                .orElse(Long.MAX_VALUE);
    }

    /** Half of the range, so that a sum with a clock's reading does not overflow as long as that is in the other half. */
    private static long saturatedNanos(Duration duration) {
        long seconds = Math.clamp(duration.toSeconds(), -Integer.MAX_VALUE, Integer.MAX_VALUE);
        return seconds * 1_000_000_000L + duration.toNanosPart();
    }

    InferenceRequest request() {
        return request;
    }

    ServerCall call() {
        return call;
    }

    Consumer<? super Completion> onCompletion() {
        return onCompletion;
    }

    /** Place among all arrivals, which it keeps when it must wait again. */
    long arrival() {
        return arrival;
    }

    void arrived(long number) {
        arrival = number;
    }

    int priority() {
        return priority;
    }

    void priority(int value) {
        priority = value;
    }

    boolean isOverdue(long nowNanos) {
        return request.deadline().isPresent() && deadlineNanos - nowNanos <= 0;
    }

    /** Attempts that failed; those that found the server away do not count. */
    int failures() {
        return failures;
    }

    void failed(long retryAtNanos) {
        failures++;
        retryNanos = retryAtNanos;
    }

    /** How often it was to blame for what its server said. */
    int strikes() {
        return strikes;
    }

    void strike() {
        strikes++;
    }

    long retryNanos() {
        return retryNanos;
    }

    boolean isCancelled() {
        return cancelled;
    }

    void cancelled() {
        cancelled = true;
    }

    /** The attempt that runs; null while it waits. */
    @Nullable
    Attempt attempt() {
        return attempt;
    }

    /** Answers whether it is the first time. */
    boolean sent(Attempt made) {
        attempt = made;
        parts = 0;
        boolean first = !sentBefore;
        sentBefore = true;
        return first;
    }

    void waitsAgain() {
        attempt = null;
        parts = 0;
    }

    int parts() {
        return parts;
    }

    void parts(int value) {
        parts = value;
    }

    Completion.Completed completed(ModelInfo model, Attempt by, Answer answer, int promptTokens, long nowNanos) {
        Usage usage = new Usage(
                answer.tokens().prompt().orElse(promptTokens),
                answer.tokens().cachedPrompt(),
                answer.tokens().completion().orElse(parts));
        ModelInfo answered =
                new ModelInfo(model.name(), model.version().or(answer::version), model.digest(), model.maxModelLen());
        return new Completion.Completed(
                request.id(),
                answered,
                Optional.of(by.endpoint().name()),
                answer.output(),
                answer.finishReason(),
                usage,
                timings(by, nowNanos),
                new BatchShare(parts, by.inFlight(), by.inFlight(), 0));
    }

    Completion.Failed failed(
            FailureCode code,
            String message,
            @Nullable Attempt by,
            String partialText,
            int promptTokens,
            long nowNanos) {
        if (by == null) {
            return Completion.Failed.of(request.id(), code, message);
        }
        return new Completion.Failed(
                request.id(),
                code,
                message,
                partialText.isEmpty() ? Optional.empty() : Optional.of(partialText),
                parts == 0 ? Optional.empty() : Optional.of(new Usage(promptTokens, 0, parts)),
                Optional.of(timings(by, nowNanos)));
    }

    private Timings timings(Attempt by, long nowNanos) {
        long admitted = request.admittedNanos();
        long firstToken = by.hasToken() ? by.firstTokenNanos() : nowNanos;
        return new Timings(
                Math.max(0, by.sentNanos() - admitted),
                firstToken - by.sentNanos(),
                nowNanos - firstToken,
                Math.max(0, firstToken - admitted),
                Math.max(0, nowNanos - admitted));
    }
}
