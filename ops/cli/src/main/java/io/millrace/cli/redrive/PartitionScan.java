package io.millrace.cli.redrive;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads partitions from one offset to where they end at this moment, as a {@code read_committed} consumer without a group.
 *
 * <p>Threads: one.
 */
final class PartitionScan implements AutoCloseable {

    /** How long a transaction of another producer may hide what follows it. */
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private static final Duration POLL = Duration.ofMillis(200);
    private static final int FETCH_MAX_WAIT_MS = 10;

    /** A record that is farther away is sought, not read up to. */
    private static final long NEAR = 500;

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Admin admin;
    private final Duration patience;

    PartitionScan(Map<String, ?> kafka, Admin admin) {
        this(kafka, admin, PATIENCE);
    }

    PartitionScan(Map<String, ?> kafka, Admin admin, Duration patience) {
        Map<String, Object> properties = new HashMap<>(kafka);
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        // the fetch that waits for more of one partition holds up that of the next, half a second by default
        properties.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, FETCH_MAX_WAIT_MS);
        properties.remove(ConsumerConfig.GROUP_ID_CONFIG);
        this.consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        this.admin = admin;
        this.patience = patience;
    }

    List<TopicPartition> partitions(String topic) {
        return consumer.partitionsFor(topic).stream()
                .map(partition -> new TopicPartition(topic, partition.partition()))
                .toList();
    }

    /** The first offset that retention has left. */
    long earliest(TopicPartition partition) {
        return offset(partition, OffsetSpec.earliest());
    }

    /**
     * Hands on every committed record from an offset on. Ends at the end of all that is written, committed or not: what an
     * open transaction hides may be what is looked for.
     *
     * @throws TimeoutException a transaction stays open
     */
    void read(TopicPartition partition, long from, Consumer<ConsumerRecord<byte[], byte[]>> sink) {
        long end = offset(partition, OffsetSpec.latest());
        consumer.assign(List.of(partition));
        consumer.seek(partition, from);
        long giveUp = System.nanoTime() + patience.toNanos();
        while (consumer.position(partition) < end) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                if (record.offset() < end) {
                    sink.accept(record);
                }
                giveUp = System.nanoTime() + patience.toNanos();
            }
            if (System.nanoTime() > giveUp) {
                throw new TimeoutException(partition + " offset=" + consumer.position(partition) + ", expected=" + end
                        + " within " + patience.toSeconds()
                        + " s: a transaction of another producer is open; try again when it has ended");
            }
        }
    }

    /** What stands at offsets. */
    interface Found {
        /** Called for each offset, in their order; empty: retention or compaction took the record. */
        void at(long offset, Optional<ConsumerRecord<byte[], byte[]>> record);
    }

    /** Looks up offsets of one partition, ascending. */
    void read(TopicPartition partition, List<Long> offsets, Found found) {
        Deque<Long> wanted = new ArrayDeque<>(offsets);
        long end = offset(partition, OffsetSpec.latest());
        consumer.assign(List.of(partition));
        long position = -NEAR - 1; // farther than near to any offset: begins with a seek
        while (!wanted.isEmpty() && position < end) {
            if (wanted.getFirst() - position > NEAR) {
                consumer.seek(partition, wanted.getFirst());
            }
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                answerBelow(record.offset(), wanted, found);
                if (!wanted.isEmpty() && wanted.getFirst() == record.offset()) {
                    found.at(wanted.removeFirst(), Optional.of(record));
                }
            }
            position = consumer.position(partition);
            answerBelow(position, wanted, found);
        }
        answerBelow(Long.MAX_VALUE, wanted, found);
    }

    private static void answerBelow(long offset, Deque<Long> wanted, Found found) {
        while (!wanted.isEmpty() && wanted.getFirst() < offset) {
            found.at(wanted.removeFirst(), Optional.empty());
        }
    }

    private long offset(TopicPartition partition, OffsetSpec spec) {
        try {
            return admin.listOffsets(Map.of(partition, spec))
                    .partitionResult(partition)
                    .get()
                    .offset();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("interrupted", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KafkaException cause ? cause : new KafkaException(e);
        }
    }

    @Override
    public void close() {
        consumer.close();
    }
}
