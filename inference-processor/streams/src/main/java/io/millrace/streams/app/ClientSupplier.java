package io.millrace.streams.app;

import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.FencedProducer;
import io.millrace.streams.gate.Gate;
import io.millrace.streams.gate.GatedConsumer;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.KafkaClientSupplier;

/** Kafka's clients for the stream threads: the main consumer behind the gate, the producer with the fenced commit. */
public class ClientSupplier implements KafkaClientSupplier {

    private final Gate gate;
    private final CommitPacer pacer;
    private final TopicPartition fence;

    /** @param applicationId whose fence topic commits carry */
    public ClientSupplier(String applicationId, Gate gate, CommitPacer pacer) {
        this.gate = gate;
        this.pacer = pacer;
        this.fence = new TopicPartition(FencedProducer.fenceTopic(applicationId), 0);
    }

    @Override
    public Admin getAdmin(Map<String, Object> config) {
        return Admin.create(config);
    }

    @Override
    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
        return new FencedProducer(plainProducer(config), fence, pacer);
    }

    /** The producer before it is wrapped. */
    protected Producer<byte[], byte[]> plainProducer(Map<String, Object> config) {
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    @Override
    public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
        return new GatedConsumer(plainConsumer(config), gate, pacer::isCommitOwed);
    }

    @Override
    public Consumer<byte[], byte[]> getRestoreConsumer(Map<String, Object> config) {
        return plainConsumer(config);
    }

    @Override
    public Consumer<byte[], byte[]> getGlobalConsumer(Map<String, Object> config) {
        return plainConsumer(config);
    }

    /** A consumer before it is wrapped. */
    protected Consumer<byte[], byte[]> plainConsumer(Map<String, Object> config) {
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }
}
