package io.millrace.streams.intake;

import io.millrace.engine.InferenceEngine;
import io.millrace.streams.records.Outcome;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A task's right to the endings of its prompts. Each life of a task has its own lease; once it is closed nothing that was
 * submitted under it reaches a processor.
 *
 * <p>Owner: the task's processor, on its stream thread, which takes endings and closes. Producers: intake threads.
 * Guards: a concurrent queue, bounded by the task's pending prompts, each of which ends at most once; a volatile flag.
 */
public final class TaskLease {

    private static final AtomicLong EPOCHS = new AtomicLong();

    /** The ending of one prompt. */
    public record Settled(Work work, Outcome outcome) {}

    private final String task;
    private final long epoch = EPOCHS.incrementAndGet();
    private final ConcurrentLinkedQueue<Settled> settled = new ConcurrentLinkedQueue<>();
    private final Map<String, InferenceEngine> running = new ConcurrentHashMap<>();
    private volatile boolean open = true;

    /** @param task for people: the task's id */
    public TaskLease(String task) {
        this.task = task;
    }

    /** Unique in this JVM. */
    public long epoch() {
        return epoch;
    }

    /** Whether endings are still wanted. */
    public boolean isOpen() {
        return open;
    }

    /** Hands over an ending; it is dropped where the lease is closed. */
    public void settle(Work work, Outcome outcome) {
        if (open) {
            settled.add(new Settled(work, outcome));
        }
    }

    /** The next ending, if there is one. Called by the processor only. */
    public @Nullable Settled poll() {
        return open ? settled.poll() : null;
    }

    /** Remembers that an engine is about to get a request, so that {@link #close} can cancel it. */
    void started(Work work, InferenceEngine engine) {
        running.put(work.engineId(), engine);
    }

    /** Forgets it: the engine refused it or completed it. */
    void ended(Work work) {
        running.remove(work.engineId());
    }

    /** Ends the lease and cancels what runs under it: the next owner has it in its restored store. Idempotent. */
    public void close() {
        open = false;
        running.forEach((id, engine) -> engine.cancel(id));
        running.clear();
        settled.clear();
    }

    @Override
    public String toString() {
        return "lease(task=" + task + ", epoch=" + epoch + ", open=" + open + ")";
    }
}
