package io.millrace.streams.simulation;

import io.millrace.streams.gate.FencedProducer;
import java.io.Serial;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * A transactional producer: records are buffered and sent by a thread of its own; everything else is asked of the brokers by
 * the caller's thread.
 */
final class SimulatedProducer extends MockProducer<byte[], byte[]> {

    private final World world;
    private final Cluster cluster;
    private final Host host;
    private final String id;
    private final Mutation mutation;
    private final BooleanSupplier losesAnswer;
    private final ArrayDeque<ProducerRecord<byte[], byte[]>> buffer = new ArrayDeque<>();
    private int epoch;
    private boolean initialized;
    private boolean fenced;
    private boolean answerOwed;
    private boolean inTransaction;

    /** The last commit timed out, and the producer does nothing before that is known (KafkaProducer does the same). */
    static final class AnswerOwed extends IllegalStateException {

        @Serial
        private static final long serialVersionUID = 1L;

        AnswerOwed() {
            super("the previous call to commitTransaction timed out and must be retried");
        }
    }

    /** @param losesAnswer drawn at each end of a transaction: whether its answer does not come */
    SimulatedProducer(
            World world, Cluster cluster, Host host, String id, BooleanSupplier losesAnswer, Mutation mutation) {
        this.mutation = mutation;
        this.world = world;
        this.cluster = cluster;
        this.host = host;
        this.id = id;
        this.losesAnswer = losesAnswer;
    }

    /** Whether records or offsets were sent since the last commit. */
    boolean isInTransaction() {
        return inTransaction;
    }

    boolean isInitialized() {
        return initialized;
    }

    @Override
    public void initTransactions() {
        if (!initialized) {
            reachBrokers();
            epoch = cluster.initProducer(id);
            initialized = true;
        }
    }

    /** As in KafkaProducer, no broker hears of it. */
    @Override
    public void beginTransaction() {
        checkUsable();
    }

    @Override
    public synchronized Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> sent) {
        checkUsable();
        inTransaction = true;
        buffer.addLast(sent);
        world.pausePoint(host, "send");
        return CompletableFuture.completedFuture(null);
    }

    private void checkUsable() {
        if (answerOwed) {
            throw new AnswerOwed();
        }
        if (fenced) {
            throw new ProducerFencedException("fenced before");
        }
    }

    /** Whether the sending thread has something to do. */
    boolean hasBuffered() {
        return !buffer.isEmpty() && !fenced && initialized;
    }

    /** The sending thread's turn. */
    void sendSome() {
        if (!host.isReachable(world.nanos())) {
            return;
        }
        try {
            for (int i = world.random.between(1, 4); i > 0 && !buffer.isEmpty() && cluster.isReady(id, epoch); i--) {
                sendOne();
            }
        } catch (ProducerFencedException e) {
            fenced = true;
        }
    }

    private void sendOne() {
        ProducerRecord<byte[], byte[]> next = buffer.peekFirst();
        List<org.apache.kafka.common.header.Header> headers =
                List.of(next.headers().toArray());
        cluster.append(
                id,
                epoch,
                new TopicPartition(next.topic(), next.partition()),
                Log.Entry.of(next.key(), next.value(), headers));
        buffer.removeFirst();
    }

    @Override
    public synchronized void flush() {
        world.pausePoint(host, "flush");
        checkUsable();
        reachBrokers();
        try {
            while (!buffer.isEmpty()) {
                cluster.awaitReady(id, epoch);
                sendOne();
            }
        } catch (ProducerFencedException e) {
            fenced = true;
            throw e;
        }
    }

    @Override
    public void sendOffsetsToTransaction(Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
        world.pausePoint(host, "offsets");
        Map<TopicPartition, OffsetAndMetadata> carried = carried(offsets);
        if (carried.isEmpty()) {
            return; // as KafkaProducer does
        }
        checkUsable();
        reachBrokers();
        inTransaction = true;
        cluster.awaitReady(id, epoch);
        cluster.addOffsets(id, epoch, carried, group);
    }

    private Map<TopicPartition, OffsetAndMetadata> carried(Map<TopicPartition, OffsetAndMetadata> offsets) {
        Map<TopicPartition, OffsetAndMetadata> carried = new HashMap<>(offsets);
        if (mutation == Mutation.UNFENCED) {
            carried.keySet().removeIf(partition -> partition.topic().equals(FencedProducer.fenceTopic("app")));
        }
        return carried;
    }

    @Override
    public void commitTransaction() {
        world.pausePoint(host, "before commit");
        boolean lost = losesAnswer.getAsBoolean();
        boolean asked = !lost || world.random.oneIn(2);
        try {
            reachBrokers();
        } catch (TimeoutException e) {
            answerOwed = true;
            throw e;
        }
        if (asked) {
            cluster.endTransaction(id, epoch, true);
        }
        if (lost) {
            answerOwed = true;
            world.note(host.name, asked ? "answer lost" : "request lost");
            throw new TimeoutException("no answer");
        }
        answerOwed = false;
        inTransaction = false;
        world.pausePoint(host, "after commit");
    }

    @Override
    public void abortTransaction() {
        buffer.clear();
        if (answerOwed) {
            throw new AnswerOwed();
        }
        if (fenced || !initialized) {
            return;
        }
        try {
            reachBrokers();
            cluster.endTransaction(id, epoch, false);
        } catch (TimeoutException | ProducerFencedException e) {
            // the coordinator aborts it in its time
            fenced = true;
        }
        inTransaction = false;
    }

    private void reachBrokers() {
        while (!host.isReachable(world.nanos())) {
            if (world.random.oneIn(3)) {
                throw new TimeoutException("no network");
            }
            long before = world.nanos();
            world.wait(host, host.cutUntilNanos);
            if (world.nanos() == before) {
                throw new TimeoutException("no network");
            }
        }
    }
}
