package io.millrace.ingest;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;

/**
 * The prompts that wait for their answers, by correlation id, and room for more until it is closed. Whoever takes a prompt out of
 * the map ends it; all others come too late.
 *
 * <p>Threads: any. Futures are completed on virtual threads of their own: what a caller hangs onto one delays nobody else's.
 */
final class Outstanding {

    /**
     * One prompt.
     *
     * @param expiresNanos on {@link System#nanoTime}'s clock
     */
    record Waiting(
            String requestId,
            String traceparent,
            Duration timeout,
            long expiresNanos,
            CompletableFuture<Answer> future) {}

    private final int most;
    private final Semaphore room;
    private final Map<String, Waiting> byCorrelation = new ConcurrentHashMap<>();
    private final ExecutorService callbacks = Executors.newVirtualThreadPerTaskExecutor();
    private volatile boolean closed;
    private volatile @Nullable RuntimeException stopCause;

    Outstanding(int most) {
        this.most = most;
        this.room = new Semaphore(most);
    }

    /** @throws IllegalStateException if it is closed */
    void requireOpen() {
        RuntimeException cause = stopCause;
        if (cause != null) {
            throw new IllegalStateException("the client stopped: " + cause.getMessage(), cause);
        }
        if (closed) {
            throw new IllegalStateException("the client is closed");
        }
    }

    /** Waits for room, and takes it. */
    void awaitRoom() {
        requireOpen();
        try {
            room.acquire();
        } catch (InterruptedException e) {
            throw new InterruptException("while " + most + " prompts were outstanding", e);
        }
        requireRoomInOpen();
    }

    /** Takes room if there is some. */
    boolean tryRoom() {
        requireOpen();
        boolean taken = room.tryAcquire();
        if (taken) {
            requireRoomInOpen();
        }
        return taken;
    }

    /** It may have been closed meanwhile. */
    private void requireRoomInOpen() {
        try {
            requireOpen();
        } catch (IllegalStateException e) {
            room.release();
            throw e;
        }
    }

    /** Uses room that was taken. The future may be ended from outside, by {@code cancel} for one. */
    void add(String correlationId, Waiting waiting) {
        byCorrelation.put(correlationId, waiting);
        var _ = waiting.future().whenComplete((answer, e) -> {
            if (byCorrelation.remove(correlationId, waiting)) {
                room.release();
            }
        });
        if (closed) { // whoever ended all the others may not have seen this one
            fail(correlationId, waiting, new PromptException.Closed(waiting.requestId(), stopCause));
        }
    }

    int count() {
        return byCorrelation.size();
    }

    @Nullable
    Waiting get(String correlationId) {
        return byCorrelation.get(correlationId);
    }

    void complete(String correlationId, Waiting waiting, Answer answer) {
        end(correlationId, waiting, () -> waiting.future().complete(answer));
    }

    void fail(String correlationId, Waiting waiting, PromptException e) {
        end(correlationId, waiting, () -> waiting.future().completeExceptionally(e));
    }

    /** Room first: a callback may submit the next prompt. */
    private void end(String correlationId, Waiting waiting, Runnable completion) {
        if (byCorrelation.remove(correlationId, waiting)) {
            room.release();
            try {
                callbacks.execute(completion);
            } catch (RejectedExecutionException e) { // closed for good
                completion.run();
            }
        }
    }

    /** Ends those whose time is up. */
    void expire(long nowNanos) {
        byCorrelation.forEach((id, waiting) -> {
            if (nowNanos - waiting.expiresNanos() >= 0) {
                fail(id, waiting, new PromptException.TimedOut(waiting.requestId(), waiting.timeout()));
            }
        });
    }

    /** From now on none is added. */
    void close() {
        closed = true;
    }

    /** Closes it by an error, and ends all. */
    void stop(RuntimeException cause) {
        stopCause = cause;
        closed = true;
        endAll();
    }

    /** Ends all that is left after closing, and lets those go who wait for room. */
    void endAll() {
        byCorrelation.forEach(
                (id, waiting) -> fail(id, waiting, new PromptException.Closed(waiting.requestId(), stopCause)));
        room.release(most);
    }

    /** Waits until none is left. */
    void awaitNone(Duration patience) throws InterruptedException {
        var _ = room.tryAcquire(most, patience.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Waits for what callers hung onto their futures. */
    void awaitCallbacks(Duration patience) throws InterruptedException {
        callbacks.shutdown();
        var _ = callbacks.awaitTermination(patience.toNanos(), TimeUnit.NANOSECONDS);
    }
}
