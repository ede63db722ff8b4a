package io.millrace.streams.gate;

import java.util.Comparator;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;

/**
 * Whether prompts are fetched: not while too many are pending, nor while someone has closed the gate.
 *
 * <p>Threads: one gate for all stream threads of an instance. Stream threads count pending prompts and ask; intake
 * threads and the application close and open. Everything is atomic on its own; a count may be read a moment late, which
 * costs a poll's worth of records at most.
 */
public final class Gate {

    private final GateLimits limits;
    private final Bell bell;
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicLong pendingBytes = new AtomicLong();
    private final AtomicInteger paused = new AtomicInteger();
    private final AtomicLong pausedBytes = new AtomicLong();
    private volatile String lastPausedBy = "";
    private final ConcurrentHashMap<TopicPartition, Load> loads = new ConcurrentHashMap<>();
    private final Set<Closure> closures = ConcurrentHashMap.newKeySet();

    public Gate(GateLimits limits) {
        this(limits, new Bell(GatedConsumer.PENDING_WAIT));
    }

    /** A gate whose stream threads wait by another clock. */
    public Gate(GateLimits limits, Bell bell) {
        this.limits = limits;
        this.bell = bell;
    }

    /** Starts to count for a task that owns {@code partition}. The task calls {@link Load#release} when it closes. */
    public Load register(TopicPartition partition) {
        Load load = new Load(partition);
        loads.put(partition, load);
        return load;
    }

    /** Stops fetching for this reason until {@link #open} is called with it. Idempotent. */
    public boolean close(Closure closure) {
        return closures.add(closure);
    }

    /** Takes back a {@link #close}. Idempotent. */
    public boolean open(Closure closure) {
        return closures.remove(closure);
    }

    /** Whether nothing at all may be fetched. */
    public boolean isClosed() {
        return !closures.isEmpty() || isFull() || isFullOfPaused();
    }

    /** Whether nothing of this partition may be fetched. */
    public boolean isClosedFor(TopicPartition partition) {
        if (isClosed()) {
            return true;
        }
        Load load = loads.get(partition);
        return load != null && load.count.get() >= limits.maxPendingPerPartition();
    }

    /** Why nothing is fetched; empty while the gate is open. */
    public Set<Closure> closures() {
        Set<Closure> all = new TreeSet<>(Comparator.comparing(Closure::reason).thenComparing(Closure::subject));
        all.addAll(closures);
        if (isFull()) {
            all.add(new Closure(Closure.Reason.FULL, ""));
        }
        if (isFullOfPaused()) {
            all.add(new Closure(Closure.Reason.PAUSED, lastPausedBy));
        }
        return all;
    }

    /** Prompts pending in this instance, without the paused ones. */
    public int pending() {
        return pending.get();
    }

    /** Bytes of prompts pending in this instance, without the paused ones. */
    public long pendingBytes() {
        return pendingBytes.get();
    }

    /** Paused prompts in this instance: pending too, but nothing is being done for them. */
    public int paused() {
        return paused.get();
    }

    /** Rung when something has ended: behind a gate that is not empty, stream threads wait for it. */
    public Bell bell() {
        return bell;
    }

    /** The limits. */
    public GateLimits limits() {
        return limits;
    }

    private boolean isFull() {
        return pending.get() >= limits.maxPending() || pendingBytes.get() >= limits.maxPendingBytes();
    }

    private boolean isFullOfPaused() {
        return paused.get() >= limits.maxPaused() || pausedBytes.get() >= limits.maxPendingBytes();
    }

    /** What one task has pending. Used by its stream thread only; read by others through the gate. */
    public final class Load {

        private final TopicPartition partition;
        private final AtomicInteger count = new AtomicInteger();
        private long bytes;
        private int pausedCount;
        private long pausedPromptBytes;

        private Load(TopicPartition partition) {
            this.partition = partition;
        }

        /** One more prompt is pending. */
        public void add(long promptBytes) {
            count.incrementAndGet();
            bytes += promptBytes;
            pending.incrementAndGet();
            pendingBytes.addAndGet(promptBytes);
        }

        /** One prompt less is pending. */
        public void remove(long promptBytes) {
            count.decrementAndGet();
            bytes -= promptBytes;
            pending.decrementAndGet();
            pendingBytes.addAndGet(-promptBytes);
        }

        /**
         * A prompt that is pending is paused from now on.
         *
         * @param by whose pause it is, e.g. {@code job=nightly}
         */
        public void pause(long promptBytes, String by) {
            remove(promptBytes);
            pausedCount++;
            pausedPromptBytes += promptBytes;
            lastPausedBy = by;
            paused.incrementAndGet();
            pausedBytes.addAndGet(promptBytes);
        }

        /** A paused prompt is pending again. */
        public void resume(long promptBytes) {
            pausedCount--;
            pausedPromptBytes -= promptBytes;
            paused.decrementAndGet();
            pausedBytes.addAndGet(-promptBytes);
            add(promptBytes);
        }

        /** Paused prompts of this task. */
        public int paused() {
            return pausedCount;
        }

        /** Prompts of this task that are pending, without the paused ones. */
        public int count() {
            return count.get();
        }

        /** Takes all that the task counts back: they are another owner's now. */
        public void release() {
            pending.addAndGet(-count.getAndSet(0));
            pendingBytes.addAndGet(-bytes);
            bytes = 0;
            paused.addAndGet(-pausedCount);
            pausedBytes.addAndGet(-pausedPromptBytes);
            pausedCount = 0;
            pausedPromptBytes = 0;
            loads.remove(partition, this);
        }
    }
}
