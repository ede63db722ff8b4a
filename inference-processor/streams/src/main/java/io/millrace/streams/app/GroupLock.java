package io.millrace.streams.app;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.errors.InconsistentGroupProtocolException;

/**
 * Keeps instances out of their group: a member of it that speaks another protocol than Kafka Streams, so that the broker
 * refuses whoever comes second. Commits nothing. Ends with the process, at the latest after the session timeout.
 *
 * <p>Threads: one; the consumer's own sends its heartbeats.
 */
final class GroupLock implements AutoCloseable {

    /** A broker waits 3 s for members to come, unless told otherwise. */
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private static final Duration POLL = Duration.ofMillis(100);

    private final Consumer<byte[], byte[]> consumer;

    private GroupLock(Consumer<byte[], byte[]> consumer) {
        this.consumer = consumer;
    }

    /**
     * Joins as the only member.
     *
     * @param emptyTopic a topic without records
     * @throws StartException an instance is in the group, or the broker does not let us in
     */
    static GroupLock take(Map<String, Object> kafka, String group, String emptyTopic) {
        GroupLock lock = new GroupLock(PlainClients.consumer(
                kafka,
                Map.of(
                        ConsumerConfig.GROUP_ID_CONFIG,
                        group,
                        ConsumerConfig.GROUP_PROTOCOL_CONFIG,
                        "classic",
                        ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
                        RangeAssignor.class.getName(),
                        ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG,
                        10_000,
                        ConsumerConfig.CLIENT_ID_CONFIG,
                        "millrace-topics-grow")));
        try {
            lock.join(group, emptyTopic);
            return lock;
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private void join(String group, String emptyTopic) {
        consumer.subscribe(List.of(emptyTopic));
        long giveUp = System.nanoTime() + TIMEOUT.toNanos();
        while (consumer.assignment().isEmpty()) {
            try {
                consumer.poll(POLL);
            } catch (InconsistentGroupProtocolException e) {
                throw new StartException(
                        "group " + group + ": an instance joined at this moment. Remedy: " + TopicGrowth.STOP, e);
            }
            if (System.nanoTime() > giveUp) {
                throw new StartException("group " + group + ": not joined within " + TIMEOUT
                        + ", expected=a group without members. Remedy: " + TopicGrowth.STOP);
            }
        }
    }

    /** Lets instances join. */
    @Override
    public void close() {
        consumer.close(CloseOptions.timeout(Duration.ofSeconds(5)));
    }
}
