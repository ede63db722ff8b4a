package io.millrace.devstack;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Looks at whole topics: what is committed in them, whether a transaction is open, how far a group is.
 *
 * <p>Threads: any. Waits end after {@link #TIMEOUT} with an exception that says what was awaited.
 */
public final class TopicReader implements AutoCloseable {
    /** How long any call here may take. */
    public static final Duration TIMEOUT = Duration.ofSeconds(60);

    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(20);

    private final Map<String, Object> properties;
    private final Admin admin;

    /**
     * A reader with an admin client, to be closed.
     *
     * @param properties Kafka's own, with {@code bootstrap.servers}
     */
    public TopicReader(Map<String, ?> properties) {
        this.properties = Map.copyOf(properties);
        this.admin = Admin.create(this.properties);
    }

    public Admin admin() {
        return admin;
    }

    /** A consumer of bytes, read_committed, without a group, from the beginning; the caller closes it. */
    public KafkaConsumer<byte[], byte[]> consumer(Map<String, ?> overrides) {
        Map<String, Object> config = new HashMap<>(properties);
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.putAll(overrides);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /**
     * All committed records of a topic, partition by partition, up to the last stable offsets at the time of the call. An open
     * transaction hides what follows it, as it does from every read_committed consumer.
     */
    public List<ConsumerRecord<byte[], byte[]>> readCommitted(String topic) {
        Map<TopicPartition, Long> ends = lastStableOffsets(topic);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        // the fetch that waits for more of one partition holds up that of the next, half a second by default
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 10))) {
            ends.forEach((partition, end) -> readPartition(consumer, partition, end, records));
        }
        return records;
    }

    private static void readPartition(
            KafkaConsumer<byte[], byte[]> consumer,
            TopicPartition partition,
            long end,
            List<ConsumerRecord<byte[], byte[]>> into) {
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        long deadlineNanos = System.nanoTime() + TIMEOUT.toNanos();
        while (consumer.position(partition) < end) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                if (record.offset() < end) {
                    into.add(record);
                }
            }
            if (System.nanoTime() > deadlineNanos) {
                throw new IllegalStateException(
                        "not reached: " + partition + " offset " + end + ", position " + consumer.position(partition));
            }
        }
    }

    /** End offsets, which count records of open transactions and the transactions' own markers. */
    public Map<TopicPartition, Long> endOffsets(String topic) {
        return offsets(topic, IsolationLevel.READ_UNCOMMITTED);
    }

    /** Where a read_committed consumer ends: equal to the end offsets when no transaction is open. */
    public Map<TopicPartition, Long> lastStableOffsets(String topic) {
        return offsets(topic, IsolationLevel.READ_COMMITTED);
    }

    /** Waits until no transaction is open on the topic: markers are written after {@code commitTransaction} returns. */
    public void awaitNoOpenTransaction(String topic) {
        long deadlineNanos = System.nanoTime() + TIMEOUT.toNanos();
        while (!lastStableOffsets(topic).equals(endOffsets(topic))) {
            if (System.nanoTime() > deadlineNanos) {
                throw new IllegalStateException("not reached: no open transaction on " + topic
                        + ", last stable offsets " + lastStableOffsets(topic) + ", end offsets " + endOffsets(topic));
            }
            LockSupport.parkNanos(BETWEEN_LOOKS.toNanos());
        }
    }

    private Map<TopicPartition, Long> offsets(String topic, IsolationLevel isolation) {
        Map<TopicPartition, OffsetSpec> request =
                partitions(topic).stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest()));
        Map<TopicPartition, Long> offsets =
                new TreeMap<>(Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition));
        await(admin.listOffsets(request, new ListOffsetsOptions(isolation)).all(), "offsets of " + topic)
                .forEach((partition, info) -> offsets.put(partition, info.offset()));
        return offsets;
    }

    public List<TopicPartition> partitions(String topic) {
        int count = Objects.requireNonNull(
                        await(admin.describeTopics(List.of(topic)).allTopicNames(), "topic " + topic + " described")
                                .get(topic))
                .partitions()
                .size();
        return IntStream.range(0, count)
                .mapToObj(partition -> new TopicPartition(topic, partition))
                .toList();
    }

    /** A group's committed offsets; partitions without one are absent. */
    public Map<TopicPartition, Long> committedOffsets(String group) {
        Map<TopicPartition, OffsetAndMetadata> committed = await(
                admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(), "offsets of group " + group);
        Map<TopicPartition, Long> offsets = new HashMap<>();
        committed.forEach((partition, offset) -> {
            if (offset != null) {
                offsets.put(partition, offset.offset());
            }
        });
        return offsets;
    }

    /**
     * What the future gives.
     *
     * @param what is awaited, for the message
     * @throws IllegalStateException if it fails or takes longer than {@link #TIMEOUT}
     */
    public static <T> T await(KafkaFuture<T> future, String what) {
        try {
            return future.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted: " + what, e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("not reached: " + what, e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(5));
    }
}
