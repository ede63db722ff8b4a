package io.millrace.streams.app;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** Counts the prompts that a changelog holds, as a store that restores it would have them. */
final class PendingCount {

    /** An open transaction of an instance that was killed is aborted within its timeout, and hides what follows till then. */
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private static final Duration POLL = Duration.ofMillis(100);
    private static final int FETCH_MAX_WAIT_MS = 10;

    private PendingCount() {}

    /**
     * Reads the whole changelog, committed records only.
     *
     * @param ends of its partitions
     * @throws StartException a transaction stays open
     */
    static int of(Map<String, Object> kafka, Map<TopicPartition, Long> ends) {
        Set<Entry> pending = new HashSet<>();
        // the fetch of one broker's partitions that have ended holds up what is asked for next
        try (Consumer<byte[], byte[]> consumer =
                PlainClients.consumer(kafka, Map.of(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, FETCH_MAX_WAIT_MS))) {
            consumer.assign(ends.keySet());
            consumer.seekToBeginning(ends.keySet());
            long giveUp = System.nanoTime() + TIMEOUT.toNanos();
            while (!behind(consumer, ends).isEmpty()) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    giveUp = System.nanoTime() + TIMEOUT.toNanos();
                    apply(record, pending);
                }
                if (System.nanoTime() > giveUp) {
                    throw new StartException(
                            "changelog " + behind(consumer, ends)
                                    + ": nothing to read for " + TIMEOUT
                                    + ", expected=its end. Remedy: wait until the transaction"
                                    + " of the instance that was killed is aborted (transaction.timeout.ms), then run it again");
                }
            }
        }
        return pending.size();
    }

    private record Entry(int partition, ByteBuffer key) {}

    private static void apply(ConsumerRecord<byte[], byte[]> record, Set<Entry> pending) {
        Entry entry = new Entry(record.partition(), ByteBuffer.wrap(record.key()));
        if (record.value() == null) {
            pending.remove(entry);
        } else {
            pending.add(entry);
        }
    }

    private static List<TopicPartition> behind(Consumer<?, ?> consumer, Map<TopicPartition, Long> ends) {
        return ends.entrySet().stream()
                .filter(end -> consumer.position(end.getKey()) < end.getValue())
                .map(Map.Entry::getKey)
                .toList();
    }
}
