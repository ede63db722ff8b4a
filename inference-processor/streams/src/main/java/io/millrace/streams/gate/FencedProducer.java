package io.millrace.streams.gate;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * A stream thread's producer whose every commit carries an offset. Streams sends only offsets that {@code process()}
 * advanced; a worker that only answers restored prompts sends none, and with none the broker does not check the group's
 * generation: a worker that was replaced while it stood still would then answer everything a second time. Offset 0 of an
 * empty topic of our own makes the broker check, and touches nothing that the group consumes.
 *
 * <p>While prompts are pending, Streams commits ten times a second whether there is anything new or not, and with the fence
 * each time would cost the broker a transaction. So a transaction begins with the first record, or with an offset that is not
 * committed yet; one that would say nothing is left out, and there is nothing in it to fence.
 *
 * <p>Threads: used by its stream thread only.
 */
public final class FencedProducer extends ForwardingProducer {

    private final TopicPartition fence;
    private final CommitPacer pacer;

    /** Offsets that this producer has committed. */
    private final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();

    /** Offsets of the transaction that is open. */
    private Map<TopicPartition, OffsetAndMetadata> sent = Map.of();

    private boolean begun;

    /** @param fence the partition of {@code <application.id>-fence} */
    public FencedProducer(Producer<byte[], byte[]> delegate, TopicPartition fence, CommitPacer pacer) {
        super(delegate);
        this.fence = fence;
        this.pacer = pacer;
        pacer.tellsCommits();
    }

    /** Name of the fence topic. */
    public static String fenceTopic(String applicationId) {
        return applicationId + "-fence";
    }

    /** Put off until there is something in it. */
    @Override
    public void beginTransaction() {}

    @Override
    public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> producerRecord) {
        begin();
        return delegate.send(producerRecord);
    }

    @Override
    public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> producerRecord, Callback callback) {
        begin();
        return delegate.send(producerRecord, callback);
    }

    private void begin() {
        if (!begun) {
            delegate.beginTransaction();
            begun = true;
        }
    }

    @Override
    public void sendOffsetsToTransaction(Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
        if (!begun && committed.entrySet().containsAll(offsets.entrySet())) {
            return;
        }
        begin();
        Map<TopicPartition, OffsetAndMetadata> fenced = new HashMap<>(offsets);
        fenced.put(fence, new OffsetAndMetadata(0));
        delegate.sendOffsetsToTransaction(fenced, group);
        sent = Map.copyOf(offsets);
    }

    @Override
    public void commitTransaction() {
        if (begun) {
            pacer.timed(delegate::commitTransaction);
            committed.putAll(sent);
            ended();
        }
    }

    @Override
    public void abortTransaction() {
        if (begun) {
            delegate.abortTransaction();
            ended();
        }
    }

    private void ended() {
        begun = false;
        sent = Map.of();
    }
}
