package io.millrace.streams.faults;

import io.millrace.streams.app.ClientSupplier;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.Gate;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The product's clients, and something that happens when all records of a transaction are written and its commit begins. */
final class WatchedCommits extends ClientSupplier {

    private final Runnable beforeCommit;

    WatchedCommits(String applicationId, Gate gate, CommitPacer pacer, Runnable beforeCommit) {
        super(applicationId, gate, pacer);
        this.beforeCommit = beforeCommit;
    }

    @Override
    protected Producer<byte[], byte[]> plainProducer(Map<String, Object> config) {
        return new WatchedProducer(config, beforeCommit);
    }

    private static final class WatchedProducer extends KafkaProducer<byte[], byte[]> {
        private final Runnable beforeCommit;

        WatchedProducer(Map<String, Object> config, Runnable beforeCommit) {
            super(config, new ByteArraySerializer(), new ByteArraySerializer());
            this.beforeCommit = beforeCommit;
        }

        @Override
        public void sendOffsetsToTransaction(
                Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
            beforeCommit.run();
            super.sendOffsetsToTransaction(offsets, group);
        }
    }
}
