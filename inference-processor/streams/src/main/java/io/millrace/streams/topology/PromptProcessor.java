package io.millrace.streams.topology;

import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.Gate;
import io.millrace.streams.intake.Intake;
import io.millrace.streams.intake.TaskLease;
import io.millrace.streams.intake.Work;
import io.millrace.streams.pending.PendingCodec;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PendingPrompt;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.pending.Suspicion;
import io.millrace.streams.records.OutRecord;
import io.millrace.streams.records.SizeLimits;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One task's prompts, from their topic to their endings:
 *
 * <pre>
 *  process()  put in the pending store ─► offer to intake ─► … engine … ─► lease
 *  drain()    lease ─► forward records ─► delete from the pending store ─► ask for a commit
 *  init()     what the restored store holds is offered again
 * </pre>
 *
 * Input offset, put, forwarded records and delete are in one transaction, so each prompt ends exactly once.
 *
 * <p>Threads: its stream thread only. Other threads reach it through the lease's queue.
 */
public final class PromptProcessor implements Processor<byte[], byte[], OutKey, byte[]> {

    private static final Logger LOG = LoggerFactory.getLogger(PromptProcessor.class);

    /** How often endings are looked for while something is pending. */
    private static final Duration DRAIN_INTERVAL = Duration.ofMillis(1);

    /** The same while all that is pending is paused, since each look costs a commit: so late comes the first answer after a RESUME. */
    private static final Duration PAUSED_DRAIN_INTERVAL = Duration.ofSeconds(1);

    /**
     * What all tasks of an instance share.
     *
     * @param topicId the prompts topic's id, which the Processor API does not tell
     * @param nanoClock {@link System#nanoTime}, or a test's
     */
    public record Parts(
            String promptsTopic,
            Uuid topicId,
            Intake intake,
            Gate gate,
            CommitPacer pacer,
            SizeLimits limits,
            ProcessorObserver observer,
            LongSupplier nanoClock) {}

    private final Parts parts;

    /** Prompts that intake had no room for, oldest first. Bounded by what is pending. */
    private final ArrayDeque<Work> deferred = new ArrayDeque<>();

    /** Restored prompts whose recovery is not yet counted in the store: {@code init()} cannot write. */
    private final List<Work> restored = new ArrayList<>();

    /** What counts as paused with the gate. */
    private final Set<PendingKey> paused = new HashSet<>();

    private @Nullable Task task;
    private @Nullable Cancellable punctuator;
    private Duration drainInterval = DRAIN_INTERVAL;

    /** What there is from {@code init()} to {@code close()}. */
    private record Task(
            ProcessorContext<OutKey, byte[]> context,
            KeyValueStore<Bytes, byte[]> store,
            TaskLease lease,
            Gate.Load load,
            CommitDebt commits,
            QuarantineLane quarantine) {}

    /** One for each task. */
    public PromptProcessor(Parts parts) {
        this.parts = parts;
    }

    @Override
    public void init(ProcessorContext<OutKey, byte[]> context) {
        TopicPartition partition =
                new TopicPartition(parts.promptsTopic(), context.taskId().partition());
        KeyValueStore<Bytes, byte[]> store = context.getStateStore(PendingStore.NAME);
        CommitDebt commits = new CommitDebt(context, parts.pacer());
        Task started = new Task(
                context,
                store,
                parts.intake().lease(context.taskId().toString()),
                parts.gate().register(partition),
                commits,
                new QuarantineLane(
                        parts.intake(), commits, work -> put(store, work.key(), work.prompt()), parts.gate()::pending));
        task = started;
        restore(started);
    }

    /** The store is fully restored here, and nothing of this life of the task is in it yet. */
    private void restore(Task started) {
        int adopted = 0;
        try (KeyValueIterator<Bytes, byte[]> entries = started.store.all()) {
            while (entries.hasNext()) {
                KeyValue<Bytes, byte[]> entry = entries.next();
                PendingPrompt prompt = PendingCodec.decode(entry.value);
                started.load.add(PendingCodec.sizeBytes(prompt));
                Work work = new Work(
                        started.lease,
                        PendingKey.decode(entry.key),
                        prompt,
                        parts.promptsTopic(),
                        admittedNanos(prompt));
                if (parts.intake().adopt(work)) {
                    // this process has not died: no recovery is counted
                    adopted++;
                    started.quarantine.addRunning(work);
                } else {
                    restored.add(work.with(recovered(work)));
                }
            }
        }
        if (started.load.count() > 0) {
            LOG.info(
                    "{} pending prompts restored by {}, {} of them under way here",
                    started.load.count(),
                    started.lease,
                    adopted);
            parts.observer().recovered(restored.size());
            keepDraining(started);
        }
    }

    /** A mark says that the process which wrote it was running this prompt alone; it has died, unless it is this one. */
    private PendingPrompt recovered(Work work) {
        PendingPrompt recovered = work.prompt().recovered();
        if (!work.prompt().alone() || parts.intake().quarantine().hasOutlived(work.key())) {
            return recovered;
        }
        PendingPrompt struck = recovered.struck();
        LOG.warn(
                "the process that ran {} alone has died: strikes={}",
                work.origin().id(),
                struck.strikes());
        parts.observer().struck();
        return struck;
    }

    /** Queue time goes on across owners, as far as their clocks agree. */
    private long admittedNanos(PendingPrompt prompt) {
        long waitedMs = Math.max(0, currentTask().context.currentSystemTimeMs() - prompt.admittedAtMs());
        return parts.nanoClock().getAsLong() - Duration.ofMillis(waitedMs).toNanos();
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        Task current = currentTask();
        RecordMetadata metadata = current.context.recordMetadata().orElseThrow();
        PendingKey key = new PendingKey(parts.topicId(), metadata.partition(), metadata.offset());
        PendingPrompt prompt = Admission.of(record, current.context.currentSystemTimeMs(), parts.limits());
        countRecoveries(current);
        put(current.store, key, prompt);
        current.commits.wrote();
        current.load.add(PendingCodec.sizeBytes(prompt));
        parts.observer().admitted();
        Work work = new Work(
                current.lease,
                key,
                prompt,
                parts.promptsTopic(),
                parts.nanoClock().getAsLong());
        // it may be read a second time: the transaction of the first time was aborted, its request may still run
        if (!parts.intake().adopt(work)) {
            deferred.add(work);
        }
        keepDraining(current);
        drain();
    }

    private static void put(KeyValueStore<Bytes, byte[]> store, PendingKey key, PendingPrompt prompt) {
        store.put(key.encode(), PendingCodec.encode(prompt));
    }

    /** Hands on what intake has room for, and forwards what has ended. */
    private void drain() {
        Task current = currentTask();
        countRecoveries(current);
        if (current.commits.hasCommitted()) {
            offerDeferred();
            current.quarantine.advance();
        }
        hearNotices(current);
        for (TaskLease.Settled settled = current.lease.poll(); settled != null; settled = current.lease.poll()) {
            forward(current, settled);
        }
        current.commits.payWhenDue();
        paceDraining(current);
    }

    private void hearNotices(Task current) {
        for (TaskLease.Notice notice = current.lease.hear(); notice != null; notice = current.lease.hear()) {
            switch (notice) {
                case TaskLease.Notice.Paused(Work work, String by) -> paused(current, work, by);
                case TaskLease.Notice.Resumed(Work work) -> resumed(current, work);
            }
        }
    }

    private void paused(Task current, Work work, String by) {
        // its ending may have been polled before
        if (current.store.get(work.key().encode()) != null && paused.add(work.key())) {
            current.load.pause(PendingCodec.sizeBytes(work.prompt()), by);
            current.quarantine.paused(work.key());
        }
    }

    private void resumed(Task current, Work work) {
        if (paused.remove(work.key())) {
            current.load.resume(PendingCodec.sizeBytes(work.prompt()));
        }
    }

    /** Writes what {@code init()} could not, recoveries and strikes, in the first transaction after it. */
    private void countRecoveries(Task current) {
        if (restored.isEmpty()) {
            return;
        }
        for (Work work : restored) {
            put(current.store, work.key(), work.prompt());
            switch (Suspicion.of(work.prompt())) {
                case NONE, CONVICTED -> deferred.addLast(work);
                case QUARANTINED, ALONE -> {
                    parts.observer().quarantined();
                    current.quarantine.add(work);
                }
            }
        }
        restored.clear();
        current.commits.wrote();
        current.commits.owe();
    }

    private void forward(Task current, TaskLease.Settled settled) {
        Work work = settled.work();
        Bytes key = work.key().encode();
        if (current.store.get(key) == null) {
            // an engine that completes twice must not answer twice
            LOG.error(
                    "{} has ended before; a second ending ({}) is dropped",
                    work.engineId(),
                    settled.outcome().label());
            return;
        }
        long nowMs = current.context.currentSystemTimeMs();
        for (OutRecord out : settled.outcome().records()) {
            current.context.forward(
                    new Record<>(
                            new OutKey(work.key().partition(), out.key()),
                            out.value(),
                            nowMs,
                            new RecordHeaders(out.headers())),
                    out.sink().nodeName());
        }
        current.store.delete(key);
        resumed(current, work);
        current.load.remove(PendingCodec.sizeBytes(work.prompt()));
        current.quarantine.ended(work.key());
        parts.observer().settled(settled.outcome());
        current.commits.owe();
    }

    private void offerDeferred() {
        while (true) {
            Work next = deferred.peekFirst();
            if (next == null || !parts.intake().offer(next)) {
                return;
            }
            deferred.removeFirst();
        }
    }

    private void keepDraining(Task current) {
        drainEvery(current, DRAIN_INTERVAL);
    }

    /** Often while something may end, now and then while all that is pending is paused, not at all while nothing is. */
    private void paceDraining(Task current) {
        if (current.load.count() > 0 || current.commits.isOwed() || current.quarantine.hasTurn()) {
            keepDraining(current);
        } else if (current.load.paused() > 0) {
            drainEvery(current, PAUSED_DRAIN_INTERVAL);
        } else {
            stopDraining();
        }
    }

    private void drainEvery(Task current, Duration interval) {
        if (punctuator == null || !interval.equals(drainInterval)) {
            stopDraining();
            punctuator = current.context.schedule(interval, PunctuationType.WALL_CLOCK_TIME, nowMs -> drain());
            drainInterval = interval;
        }
    }

    /** Every punctuation marks the task for a commit, so there is none while nothing is pending. */
    private void stopDraining() {
        if (punctuator != null) {
            punctuator.cancel();
            punctuator = null;
        }
    }

    private Task currentTask() {
        return Objects.requireNonNull(task, "before init() or after close()");
    }

    /** The next owner restores what is pending, and adopts what is under way if it is in this process. */
    @Override
    public void close() {
        Task closing = task;
        if (closing == null) {
            return;
        }
        task = null;
        closing.lease.close();
        closing.quarantine.close();
        closing.load.release();
        stopDraining();
        deferred.clear();
        restored.clear();
        paused.clear();
        closing.commits.forgive();
    }
}
