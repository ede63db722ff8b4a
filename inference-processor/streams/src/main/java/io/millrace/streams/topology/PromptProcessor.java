package io.millrace.streams.topology;

import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.config.DeduplicationSettings;
import io.millrace.streams.config.Ordering;
import io.millrace.streams.deduplication.RequestStore;
import io.millrace.streams.deduplication.RequestWindow;
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
import io.millrace.streams.records.Origin;
import io.millrace.streams.records.OutRecord;
import io.millrace.streams.records.SizeLimits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
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

    /**
     * What all tasks of an instance share.
     *
     * @param topicId the prompts topic's id, which the Processor API does not tell
     * @param nanoClock {@link System#nanoTime}, or a test's
     * @param deduplication where prompts are deduplicated by their {@code request_id}
     */
    public record Parts(
            String promptsTopic,
            Uuid topicId,
            Intake intake,
            Gate gate,
            CommitPacer pacer,
            SizeLimits limits,
            ProcessorObserver observer,
            LongSupplier nanoClock,
            Ordering ordering,
            Optional<DeduplicationSettings> deduplication) {}

    private final Parts parts;

    /**
     * Restored prompts whose turn it is, and marked ones, whose recovery is not yet counted in the store: {@code init()} cannot
     * write.
     */
    private final List<Work> restored = new ArrayList<>();

    private @Nullable Task task;

    /** What there is from {@code init()} to {@code close()}. */
    private record Task(
            ProcessorContext<OutKey, byte[]> context,
            KeyValueStore<Bytes, byte[]> store,
            TaskLease lease,
            Gate.Load load,
            CommitDebt commits,
            OfferQueue offers,
            QuarantineLane quarantine,
            KeyOrder<Work> order,
            PausedPrompts paused,
            Optional<RequestWindow> window,
            DrainTimer drains) {}

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
        KeyOrder<Work> order = new KeyOrder<>(parts.ordering());
        Gate.Load load = parts.gate().register(partition);
        Task started = new Task(
                context,
                store,
                parts.intake().lease(context.taskId().toString(), decision()),
                load,
                commits,
                new OfferQueue(parts.intake(), commits),
                new QuarantineLane(
                        parts.intake(), commits, work -> put(store, work.key(), work.prompt()), parts.gate()::pending),
                order,
                new PausedPrompts(load, order),
                parts.deduplication().map(settings -> window(context, settings)),
                new DrainTimer(context, this::drain));
        task = started;
        restore(started);
    }

    private TaskLease.Decision decision() {
        return parts.deduplication().isPresent() ? TaskLease.Decision.BY_REQUEST_ID : TaskLease.Decision.NONE;
    }

    private RequestWindow window(ProcessorContext<OutKey, byte[]> context, DeduplicationSettings settings) {
        return new RequestWindow(
                context.getStateStore(RequestStore.NAME),
                settings,
                parts.topicId(),
                context.currentSystemTimeMs(),
                parts.nanoClock());
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
                boolean mayRun = started.order.isFree(prompt.key());
                if (mayRun && adopt(started, work)) {
                    // this process has not died: no recovery is counted
                    adopted++;
                } else if (mayRun || prompt.alone()) {
                    work = work.with(recovered(work));
                    restored.add(work);
                }
                started.order.enter(prompt.key(), work);
            }
        }
        if (started.load.count() > 0) {
            LOG.info(
                    "{} pending prompts restored by {}, {} of them under way here",
                    started.load.count(),
                    started.lease,
                    adopted);
            parts.observer().recovered(restored.size());
            started.drains.often();
        }
    }

    /** Takes over what runs of the same prompt here, unless it is still to be found out whether it is a duplicate. */
    private boolean adopt(Task current, Work work) {
        boolean decided = current.window.isEmpty()
                || current.window.get().hasTaken(work.key().offset())
                || parts.intake().runsWithoutId(work);
        if (!decided || !parts.intake().adopt(work)) {
            return false;
        }
        current.quarantine.addRunning(work);
        return true;
    }

    /** Another process's mark stays until it is known whether that has died. This one has not. */
    private PendingPrompt recovered(Work work) {
        PendingPrompt recovered = work.prompt().recovered();
        UUID here = parts.intake().quarantine().process();
        return recovered.aloneIn().filter(here::equals).isPresent() ? recovered.unmarked() : recovered;
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
        if (current.order.enter(prompt.key(), work)) {
            begin(current, work);
        } else {
            current.paused.entered(work);
        }
        current.drains.often();
        drain();
    }

    /** Its turn has come. It may come a second time: the transaction of the first was aborted, its request may still run. */
    private void begin(Task current, Work work) {
        if (!adopt(current, work)) {
            offerWhenItMayRun(current, work);
        }
    }

    private void offerWhenItMayRun(Task current, Work found) {
        Work work = found;
        if (found.prompt().alone()) {
            PendingPrompt stored =
                    PendingCodec.decode(current.store.get(found.key().encode()));
            if (stored.alone()) {
                // it goes on when its owner's fate is known
                return;
            }
            work = found.with(stored);
        }
        switch (Suspicion.of(work.prompt())) {
            case NONE, CONVICTED -> current.offers.add(work);
            case QUARANTINED, ALONE -> current.quarantine.add(work);
        }
    }

    /** A prompt's id is known: another may have it. What is decided here is committed with all else. */
    private void decide(Task current, TaskLease.Notice.Asks asks) {
        Work work = asks.work();
        OptionalLong first =
                current.window.orElseThrow().take(asks.requestId(), work.key().offset());
        if (first.isPresent()) {
            Origin origin = work.origin();
            asks.answer().duplicateOf(origin.topic() + "-" + origin.partition() + "-" + first.getAsLong());
        } else if (!parts.intake().adopt(work)) {
            asks.answer().goOn();
        }
    }

    private void judged(Task current, Work work, TaskLease.Fate owner) {
        PendingPrompt prompt = switch (owner) {
            case ALIVE -> work.prompt().unmarked();
            case DEAD -> {
                parts.observer().struck();
                yield work.prompt().struck();
            }
        };
        LOG.warn(
                "the process that ran {} alone is {}: strikes={}",
                work.origin().id(),
                owner == TaskLease.Fate.DEAD ? "dead" : "alive, and has lost it",
                prompt.strikes());
        put(current.store, work.key(), prompt);
        current.commits.owe();
        if (current.order.mayRun(work.prompt().key(), work)) {
            offerWhenItMayRun(current, work.with(prompt));
        }
    }

    private static void put(KeyValueStore<Bytes, byte[]> store, PendingKey key, PendingPrompt prompt) {
        store.put(key.encode(), PendingCodec.encode(prompt));
    }

    /** Hands on what intake has room for, and forwards what has ended. */
    private void drain() {
        Task current = currentTask();
        countRecoveries(current);
        hearNotices(current);
        if (current.commits.hasCommitted()) {
            current.offers.advance();
            current.quarantine.advance();
        }
        for (TaskLease.Settled settled = current.lease.poll(); settled != null; settled = current.lease.poll()) {
            forward(current, settled);
        }
        current.commits.payWhenDue();
        paceDraining(current);
    }

    private void hearNotices(Task current) {
        for (TaskLease.Notice notice = current.lease.hear(); notice != null; notice = current.lease.hear()) {
            if (current.store.get(notice.work().key().encode()) == null) {
                // its ending was polled before
                continue;
            }
            switch (notice) {
                case TaskLease.Notice.Paused(Work work, String by) -> {
                    current.paused.pause(work, by);
                    current.offers.left(work.key());
                    current.quarantine.paused(work.key());
                }
                case TaskLease.Notice.Resumed(Work work) -> current.paused.resume(work);
                case TaskLease.Notice.Returned(Work work) -> {
                    current.paused.resume(work);
                    offerWhenItMayRun(current, work.with(work.prompt().unmarked()));
                }
                case TaskLease.Notice.Judged(Work work, TaskLease.Fate owner) -> judged(current, work, owner);
                case TaskLease.Notice.Asks asks -> decide(current, asks);
            }
        }
    }

    /** Writes what {@code init()} could not, recoveries and strikes, in the first transaction after it. */
    private void countRecoveries(Task current) {
        if (restored.isEmpty()) {
            return;
        }
        for (Work work : restored) {
            put(current.store, work.key(), work.prompt());
            current.offers.recovered(work);
            if (Suspicion.of(work.prompt()).isQuarantine()) {
                parts.observer().quarantined();
            }
            if (work.prompt().alone()) {
                parts.intake().askAfterOwner(work);
            } else {
                offerWhenItMayRun(current, work);
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
        current.paused.resume(work);
        current.load.remove(PendingCodec.sizeBytes(work.prompt()));
        current.offers.left(work.key());
        current.quarantine.ended(work.key());
        if (!settled.outcome().isAnswer()) {
            current.window.ifPresent(window -> window.release(work.key().offset()));
        }
        parts.observer().settled(settled.outcome());
        current.commits.owe();
        current.order.leave(work.prompt().key()).ifPresent(next -> begin(current, next));
    }

    private static void paceDraining(Task current) {
        if (current.load.count() > 0 || current.commits.isOwed() || current.quarantine.hasTurn()) {
            current.drains.often();
        } else if (current.load.paused() > 0) {
            current.drains.seldom();
        } else {
            current.drains.stop();
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
        closing.drains.stop();
        closing.offers.clear();
        restored.clear();
        closing.commits.forgive();
    }
}
