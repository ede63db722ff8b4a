package io.millrace.streams.simulation;

import io.millrace.streams.deduplication.RequestStore;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.records.Sink;
import io.millrace.streams.topology.OutKey;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.Punctuator;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** A stream task around the real processor: its queue of records, its stores, its punctuators, what it owes a commit. */
final class Task extends TaskContext<OutKey, byte[]> {

    enum State {
        CREATED,
        RESTORING,
        RUNNING,
        CLOSED
    }

    final int partition;
    final ArrayDeque<ConsumerRecord<byte[], byte[]>> queue = new ArrayDeque<>();
    State state = State.CREATED;

    /** Whether the consumer has to go back to the committed offset before records come. */
    boolean resetsOffset;

    boolean commitNeeded;
    boolean commitRequested;

    private final Instance instance;
    private final StreamThread thread;
    private final List<SimulatedStore> stores;
    private final Processor<byte[], byte[], OutKey, byte[]> processor;
    private final List<Punctuation> punctuations = new ArrayList<>();
    private OptionalLong consumed =
            OptionalLong.empty(); // offset after the last record processed since the last commit
    private Optional<RecordMetadata> metadata = Optional.empty();

    private final class Punctuation implements Cancellable {
        private final long intervalNanos;
        private final Punctuator punctuator;
        private long nextNanos;

        Punctuation(long intervalNanos, Punctuator punctuator) {
            this.intervalNanos = intervalNanos;
            this.punctuator = punctuator;
            this.nextNanos = instance.world.nanos() + intervalNanos;
        }

        @Override
        public void cancel() {
            punctuations.remove(this);
        }
    }

    Task(Instance instance, StreamThread thread, int partition) {
        this.instance = instance;
        this.thread = thread;
        this.partition = partition;
        Mutation mutation = instance.mutation;
        this.stores = List.of(
                store(PendingStore.NAME, mutation.isOfRequests() ? Mutation.NONE : mutation),
                store(RequestStore.NAME, mutation.isOfRequests() ? mutation : Mutation.NONE));
        this.processor = instance.newProcessor();
    }

    private SimulatedStore store(String name, Mutation mutation) {
        TopicPartition changelog = changelog(name, partition);
        return new SimulatedStore(
                name,
                (key, value) ->
                        thread.send(new ProducerRecord<>(changelog.topic(), changelog.partition(), key.get(), value)),
                mutation);
    }

    /** As Kafka Streams names them. */
    static TopicPartition changelog(String store, int partition) {
        return new TopicPartition("app-" + store + "-changelog", partition);
    }

    private static Log changelog(Cluster cluster, SimulatedStore store, int partition) {
        return cluster.log(changelog(store.name(), partition));
    }

    void beginRestoration(Cluster cluster) {
        for (SimulatedStore store : stores) {
            store.restoreEnd = changelog(cluster, store, partition).end();
        }
        state = State.RESTORING;
    }

    /** Whether no transaction is open any more of what is to be restored. */
    boolean canRestore(Cluster cluster) {
        return stores.stream()
                .allMatch(store -> changelog(cluster, store, partition).stableEnd() >= store.restoreEnd);
    }

    /** The stores are as the changelogs say; the processor begins. */
    void start(Cluster cluster) {
        for (SimulatedStore store : stores) {
            store.restore(changelog(cluster, store, partition).committed(store.restoreEnd));
        }
        processor.init(this);
        state = State.RUNNING;
    }

    /** Nothing to commit, and nothing to look for. */
    boolean isSettled() {
        return state == State.RUNNING && !commitNeeded && punctuations.isEmpty();
    }

    boolean processOne() {
        ConsumerRecord<byte[], byte[]> record = queue.pollFirst();
        if (record == null) {
            return false;
        }
        metadata = Optional.of(new Metadata(record.topic(), record.partition(), record.offset()));
        instance.world.note(instance.name, "process", partition, record.offset());
        consumed = OptionalLong.of(record.offset() + 1);
        commitNeeded = true;
        processor.process(new Record<>(record.key(), record.value(), currentSystemTimeMs(), record.headers()));
        metadata = Optional.empty();
        return true;
    }

    private record Metadata(String topic, int partition, long offset) implements RecordMetadata {}

    boolean punctuate() {
        boolean punctuated = false;
        for (Punctuation each : List.copyOf(punctuations)) {
            long now = instance.world.nanos();
            if (punctuations.contains(each) && each.nextNanos <= now) {
                each.nextNanos = now + each.intervalNanos;
                commitNeeded = true;
                punctuated = true;
                each.punctuator.punctuate(currentSystemTimeMs());
            }
        }
        return punctuated;
    }

    OptionalLong consumed() {
        return consumed;
    }

    void committed() {
        consumed = OptionalLong.empty();
        commitNeeded = false;
        commitRequested = false;
    }

    void close() {
        if (state == State.RUNNING) {
            processor.close();
        }
        state = State.CLOSED;
        queue.clear();
        punctuations.clear();
    }

    @Override
    void forwarded(Record<?, ?> record, String childName) {
        OutKey key = (OutKey) record.key();
        thread.send(new ProducerRecord<>(
                Instance.OUTPUTS.of(sink(childName)),
                key.inputPartition(),
                record.timestamp(),
                key.key(),
                (byte[]) record.value(),
                record.headers()));
    }

    private static Sink sink(String nodeName) {
        for (Sink sink : Sink.values()) {
            if (sink.nodeName().equals(nodeName)) {
                return sink;
            }
        }
        throw new AssertionError("node=" + nodeName + ", expected=a sink");
    }

    @Override
    public void commit() {
        commitRequested = true;
    }

    @Override
    public Cancellable schedule(Duration interval, PunctuationType type, Punctuator punctuator) {
        Punctuation punctuation = new Punctuation(interval.toNanos(), punctuator);
        punctuations.add(punctuation);
        return punctuation;
    }

    @Override
    public Optional<RecordMetadata> recordMetadata() {
        return metadata;
    }

    @Override
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // as the interface asks
    public <S extends StateStore> S getStateStore(String name) {
        return (S) stores.stream()
                .filter(store -> store.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Override
    public TaskId taskId() {
        return new TaskId(0, partition);
    }

    @Override
    public long currentSystemTimeMs() {
        return Prompt.instant(instance.world.nanos()).toEpochMilli();
    }
}
