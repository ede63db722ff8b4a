package io.millrace.streams.simulation;

import io.millrace.streams.app.ClientSupplier;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.Gate;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.jspecify.annotations.Nullable;

/** The product's client supplier around simulated clients. */
final class SimulatedClients extends ClientSupplier {

    private @Nullable Producer<byte[], byte[]> producer;
    private @Nullable Consumer<byte[], byte[]> consumer;

    SimulatedClients(Gate gate, CommitPacer pacer) {
        super("app", gate, pacer);
    }

    Producer<byte[], byte[]> wrap(Producer<byte[], byte[]> plain) {
        producer = plain;
        return getProducer(Map.of());
    }

    Consumer<byte[], byte[]> wrap(Consumer<byte[], byte[]> plain) {
        consumer = plain;
        return getConsumer(Map.of());
    }

    @Override
    protected Producer<byte[], byte[]> plainProducer(Map<String, Object> config) {
        return Objects.requireNonNull(producer);
    }

    @Override
    protected Consumer<byte[], byte[]> plainConsumer(Map<String, Object> config) {
        return Objects.requireNonNull(consumer);
    }
}
