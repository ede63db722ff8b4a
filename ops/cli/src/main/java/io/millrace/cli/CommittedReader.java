package io.millrace.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads topics, from the beginning or from a time on, without a group, as a {@code read_committed} consumer: an open transaction hides what
 * follows it.
 */
final class CommittedReader implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(200);

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final List<TopicPartition> partitions = new ArrayList<>();

    CommittedReader(Map<String, Object> kafka, List<String> topics) {
        Map<String, Object> properties = new HashMap<>(kafka);
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        properties.remove(ConsumerConfig.GROUP_ID_CONFIG);
        consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        for (String topic : topics) {
            for (PartitionInfo partition : consumer.partitionsFor(topic)) {
                partitions.add(new TopicPartition(topic, partition.partition()));
            }
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
    }

    /** From the records of this time on, by their timestamps. */
    static CommittedReader since(Map<String, Object> kafka, List<String> topics, Instant start) {
        var reader = new CommittedReader(kafka, topics);
        Map<TopicPartition, Long> times = new HashMap<>();
        reader.partitions.forEach(partition -> times.put(partition, start.toEpochMilli()));
        Map<TopicPartition, OffsetAndTimestamp> offsets = reader.consumer.offsetsForTimes(times);
        for (TopicPartition partition : reader.partitions) {
            OffsetAndTimestamp first = offsets.get(partition);
            if (first == null) {
                reader.consumer.seekToEnd(List.of(partition));
            } else {
                reader.consumer.seek(partition, first.offset());
            }
        }
        return reader;
    }

    /** Hands on at most {@code limit} records, up to what is committed now or, when following, without end. */
    void read(boolean follow, long limit, Consumer<ConsumerRecord<byte[], byte[]>> sink) {
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        long count = 0;
        while (count < limit && (follow || isBefore(ends))) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                if (count++ == limit) {
                    return;
                }
                sink.accept(record);
            }
        }
    }

    /** What has come since the last call, perhaps nothing. */
    Iterable<ConsumerRecord<byte[], byte[]>> poll() {
        return consumer.poll(POLL);
    }

    private boolean isBefore(Map<TopicPartition, Long> ends) {
        return ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue());
    }

    @Override
    public void close() {
        consumer.close();
    }
}
