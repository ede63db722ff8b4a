package io.millrace.cli.redrive;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** Where a record stands, written {@code topic-partition-offset}. */
public record Place(TopicPartition partition, long offset) {

    static Place of(ConsumerRecord<?, ?> record) {
        return new Place(new TopicPartition(record.topic(), record.partition()), record.offset());
    }

    @Override
    public String toString() {
        return partition + "-" + offset;
    }
}
