package io.millrace.streams.zombie;

import io.millrace.streams.app.ClientSupplier;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.Gate;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The product's clients, and a stop before the first result. */
class StoppingClients extends ClientSupplier {

    private final StopBeforeForward stop;

    StoppingClients(String applicationId, Gate gate, CommitPacer pacer, StopBeforeForward stop) {
        super(applicationId, gate, pacer);
        this.stop = stop;
    }

    @Override
    protected Producer<byte[], byte[]> plainProducer(Map<String, Object> config) {
        return new StoppingProducer(config, stop);
    }

    private static final class StoppingProducer extends KafkaProducer<byte[], byte[]> {
        private final StopBeforeForward stop;

        StoppingProducer(Map<String, Object> config, StopBeforeForward stop) {
            super(config, new ByteArraySerializer(), new ByteArraySerializer());
            this.stop = stop;
        }

        @Override
        public void beginTransaction() {
            stop.begun();
            super.beginTransaction();
        }

        @Override
        public void commitTransaction() {
            super.commitTransaction();
            stop.committed();
        }

        @Override
        public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback callback) {
            stop.beforeSend(record.topic());
            return super.send(record, callback);
        }
    }
}
