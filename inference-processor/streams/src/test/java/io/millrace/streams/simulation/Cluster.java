package io.millrace.streams.simulation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.jspecify.annotations.Nullable;

/**
 * The brokers: logs, transactions with their coordinator, committed offsets. What matters of Kafka 4.3 for exactly-once:
 *
 * <ul>
 *   <li>a producer that begins anew under an id, or whose transaction ran out of time, fences the one before it;
 *   <li>the end of a transaction is decided at once, and each partition learns of it later;
 *   <li>offsets of a transaction are checked against the group's generation when they are added, never again; a call without
 *       offsets reaches no broker;
 *   <li>who asks for committed offsets, or reads committed records, waits for transactions that have not ended.
 * </ul>
 */
final class Cluster extends Actor {

    /** The prompts topic's name. */
    static final String PROMPTS = "prompts";

    final Group group;
    private final World world;
    private final Plan plan;
    private final List<Log> inputs = new ArrayList<>();
    private final Map<TopicPartition, Log> logs = new LinkedHashMap<>(); // all others
    private final Map<String, Coordinated> producers = new LinkedHashMap<>();
    private final List<Transaction> unfinished = new ArrayList<>();
    private final long[] committed; // by input partition
    private long nextCheckNanos;
    private long written;

    /** What the coordinator knows of a transactional id. */
    private static final class Coordinated {
        private int epoch;
        private @Nullable Transaction current;
    }

    Cluster(World world, Plan plan) {
        super("brokers", null);
        this.world = world;
        this.plan = plan;
        this.committed = new long[plan.partitions()];
        for (int partition = 0; partition < plan.partitions(); partition++) {
            inputs.add(new Log());
        }
        this.group = new Group(world, plan);
    }

    Log log(TopicPartition partition) {
        return logs.computeIfAbsent(partition, unknown -> new Log());
    }

    Log input(int partition) {
        return inputs.get(partition);
    }

    long committed(int partition) {
        return committed[partition];
    }

    boolean hasUnfinishedTransactions() {
        return !unfinished.isEmpty();
    }

    /** The committed offset; empty while a transaction may still move it. */
    OptionalLong stableOffset(int partition) {
        for (Transaction transaction : unfinished) {
            if (transaction.holdsOffsets() && transaction.offsets.containsKey(partition)) {
                return OptionalLong.empty();
            }
        }
        return OptionalLong.of(committed[partition]);
    }

    /** A producer begins: what its predecessor left open is aborted. */
    int initProducer(String id) {
        Coordinated producer = producers.computeIfAbsent(id, unknown -> new Coordinated());
        Transaction left = producer.current;
        if (left != null && !left.isDecided()) {
            left.decide(false);
        }
        finish(producer);
        producer.epoch++;
        world.note(name, "producer begins", id, producer.epoch);
        return producer.epoch;
    }

    /** Whether the transaction before has ended everywhere, so that the next one may begin. */
    boolean isReady(String id, int epoch) {
        Transaction current = checked(id, epoch).current;
        return current == null || !current.isDecided() || current.isOver();
    }

    /** Waits for the transaction before to end everywhere. */
    void awaitReady(String id, int epoch) {
        if (!isReady(id, epoch)) {
            finish(checked(id, epoch));
        }
    }

    void append(String id, int epoch, TopicPartition partition, Log.Entry entry) {
        Transaction transaction = begun(id, checked(id, epoch));
        Log log = log(partition);
        transaction.touch(log);
        log.append(entry.in(transaction, ++written, world.nanos()));
    }

    void addOffsets(
            String id, int epoch, Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata metadata) {
        Transaction transaction = begun(id, checked(id, epoch));
        if (!group.has(metadata.memberId()) || metadata.generationId() != group.generation()) {
            world.note(name, "offsets refused", metadata.memberId(), metadata.generationId(), group.generation());
            throw new CommitFailedException(
                    "generation=" + metadata.generationId() + ", expected=" + group.generation());
        }
        transaction.touchOffsets();
        offsets.forEach((partition, offset) -> {
            if (partition.topic().equals(PROMPTS)) {
                transaction.offsets.put(partition.partition(), offset.offset());
            }
        });
    }

    void endTransaction(String id, int epoch, boolean commit) {
        Transaction current = checked(id, epoch).current;
        if (current != null && !current.isDecided()) {
            current.decide(commit);
            world.note(name, commit ? "committed" : "aborted", id, epoch, current.offsets);
        }
    }

    private Coordinated checked(String id, int epoch) {
        Coordinated producer = producers.computeIfAbsent(id, unknown -> new Coordinated());
        if (producer.epoch != epoch) {
            throw new ProducerFencedException("epoch=" + epoch + ", expected=" + producer.epoch);
        }
        return producer;
    }

    private Transaction begun(String id, Coordinated producer) {
        Transaction current = producer.current;
        if (current != null && !current.isOver()) {
            if (current.isDecided()) {
                throw new AssertionError("transaction " + id + ", expected=over before the next one begins");
            }
            return current;
        }
        Transaction begun = new Transaction(id, world.nanos());
        producer.current = begun;
        unfinished.add(begun);
        return begun;
    }

    private void finish(Coordinated producer) {
        Transaction current = producer.current;
        while (current != null && !current.isOver()) {
            writeMarker(current);
        }
    }

    private void writeMarker(Transaction transaction) {
        Map<Integer, Long> offsets = transaction.writeMarker(world.random);
        if (offsets != null) {
            offsets.forEach(this::commitOffset);
        }
        if (transaction.isOver()) {
            unfinished.remove(transaction);
        }
    }

    private void commitOffset(int partition, long offset) {
        if (offset < committed[partition]) {
            throw new AssertionError("committed offset of partition " + partition + "=" + offset
                    + ", expected=at least " + committed[partition]);
        }
        committed[partition] = offset;
    }

    @Override
    long wakeAtNanos() {
        if (unfinished.isEmpty()) {
            return NEVER;
        }
        for (int i = 0; i < unfinished.size(); i++) {
            if (unfinished.get(i).isDecided()) {
                return 0;
            }
        }
        return nextCheckNanos;
    }

    /** Writes a marker, or aborts what is open for too long. */
    @Override
    void step() {
        long now = world.nanos();
        if (now >= nextCheckNanos) {
            nextCheckNanos = now + plan.transactionNanos() / 8;
            for (Coordinated producer : producers.values()) {
                abortIfTooOld(producer, now);
            }
        }
        List<Transaction> decided =
                unfinished.stream().filter(Transaction::isDecided).toList();
        if (!decided.isEmpty()) {
            writeMarker(decided.get(world.random.below(decided.size())));
        }
    }

    private void abortIfTooOld(Coordinated producer, long now) {
        Transaction current = producer.current;
        if (current != null && !current.isDecided() && now - current.startedNanos > plan.transactionNanos()) {
            producer.epoch++;
            current.decide(false);
            world.note(name, "transaction timed out", current.id);
        }
    }
}
