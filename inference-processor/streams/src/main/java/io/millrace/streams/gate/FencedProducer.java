package io.millrace.streams.gate;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;

/**
 * A stream thread's producer whose every commit carries an offset. Streams sends only offsets that {@code process()}
 * advanced; a worker that only answers restored prompts sends none, and with none the broker does not check the group's
 * generation: a worker that was replaced while it stood still would then answer everything a second time. Offset 0 of an
 * empty topic of our own makes the broker check, and touches nothing that the group consumes.
 *
 * <p>Threads: used by its stream thread only.
 */
public final class FencedProducer extends ForwardingProducer {

    private final TopicPartition fence;
    private final CommitPacer pacer;

    /** @param fence the partition of {@code <application.id>-fence} */
    public FencedProducer(Producer<byte[], byte[]> delegate, TopicPartition fence, CommitPacer pacer) {
        super(delegate);
        this.fence = fence;
        this.pacer = pacer;
    }

    /** Name of the fence topic. */
    public static String fenceTopic(String applicationId) {
        return applicationId + "-fence";
    }

    @Override
    public void sendOffsetsToTransaction(Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
        Map<TopicPartition, OffsetAndMetadata> fenced = new HashMap<>(offsets);
        fenced.put(fence, new OffsetAndMetadata(0));
        delegate.sendOffsetsToTransaction(fenced, group);
    }

    @Override
    public void commitTransaction() {
        pacer.timed(delegate::commitTransaction);
    }
}
