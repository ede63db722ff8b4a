package io.millrace.streams.zombie;

import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.Gate;
import java.util.Map;
import org.apache.kafka.clients.producer.Producer;

/** Kafka Streams' own commit, without the fence: what the product must not be. */
final class UnfencedClients extends StoppingClients {

    UnfencedClients(String applicationId, Gate gate, CommitPacer pacer, StopBeforeForward stop) {
        super(applicationId, gate, pacer, stop);
    }

    @Override
    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
        return plainProducer(config);
    }
}
