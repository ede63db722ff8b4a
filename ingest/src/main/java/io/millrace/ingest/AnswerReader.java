package io.millrace.ingest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads all committed records of topics that come after it was opened, without a group: every client sees every answer. Partitions
 * that are added later are read from their beginning.
 *
 * <p>Threads: one starts it; from then on its own thread has the consumer and calls the listener. Any may close it.
 */
final class AnswerReader {

    private static final Logger LOG = LoggerFactory.getLogger(AnswerReader.class);

    /** How often the listener hears that time passes. */
    private static final Duration POLL = Duration.ofMillis(100);

    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);

    /** A topic that was created a moment ago is not known to all brokers yet. */
    private static final int FIRST_LOOKS = 20;

    /** Kafka's own 5 minutes would be long for somebody who waits for an answer on a new partition. */
    private static final int METADATA_MAX_AGE_MS = 30_000;

    /** Hears what the reader sees, on the reader's thread. */
    interface Listener {
        void onRecord(ConsumerRecord<byte[], byte[]> record);

        /** About every {@link #POLL}. */
        void onTime(long nowNanos);

        /** Reading has ended by an error that trying again does not mend. */
        void onEnd(RuntimeException cause);
    }

    private final Consumer<byte[], byte[]> consumer;
    private final List<String> topics;
    private final Set<TopicPartition> assigned = new HashSet<>();
    private final Thread thread;
    private volatile boolean closed;
    private long lookedNanos = System.nanoTime();

    private AnswerReader(Consumer<byte[], byte[]> consumer, List<String> topics, Listener listener) {
        this.consumer = consumer;
        this.topics = topics;
        this.thread = Thread.ofPlatform().daemon().name("millrace-answers").unstarted(() -> run(listener));
    }

    /**
     * Stands at the topics' ends when this returns: what is committed from now on will be read.
     *
     * @param mustExist one more topic, which is not read
     * @throws UnknownTopicOrPartitionException if one does not exist
     */
    static AnswerReader start(Map<String, Object> kafka, List<String> topics, String mustExist, Listener listener) {
        var consumer = new KafkaConsumer<>(properties(kafka), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        return start(consumer, topics, mustExist, listener);
    }

    /** The same with a consumer that is closed with it. */
    static AnswerReader start(
            Consumer<byte[], byte[]> consumer, List<String> topics, String mustExist, Listener listener) {
        try {
            AnswerReader reader = new AnswerReader(consumer, topics, listener);
            reader.require(mustExist);
            reader.standAtTheEnd();
            reader.thread.start();
            return reader;
        } catch (RuntimeException e) {
            consumer.close();
            throw e;
        }
    }

    static Map<String, Object> properties(Map<String, Object> kafka) {
        Map<String, Object> properties = new HashMap<>(kafka);
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        properties.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        // of what retention took away before it was read, the rest
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        properties.putIfAbsent(ConsumerConfig.METADATA_MAX_AGE_CONFIG, METADATA_MAX_AGE_MS);
        properties.remove(ConsumerConfig.GROUP_ID_CONFIG);
        return properties;
    }

    private List<PartitionInfo> require(String topic) {
        List<PartitionInfo> partitions = consumer.partitionsFor(topic);
        for (int tries = 1; partitions.isEmpty() && tries < FIRST_LOOKS; tries++) {
            LockSupport.parkNanos(POLL.toNanos());
            partitions = consumer.partitionsFor(topic);
        }
        if (partitions.isEmpty()) {
            throw new UnknownTopicOrPartitionException(
                    "topic=" + topic + ", expected=a topic that exists; 'millrace topics create' makes them");
        }
        return partitions;
    }

    /** At offsets that are known now: seeking to the end would be done at the first poll, after the first prompt. */
    private void standAtTheEnd() {
        for (String topic : topics) {
            require(topic).forEach(partition -> assigned.add(new TopicPartition(topic, partition.partition())));
        }
        consumer.assign(assigned);
        consumer.endOffsets(assigned).forEach(consumer::seek);
    }

    private void run(Listener listener) {
        try (consumer) {
            while (!closed) {
                consumer.poll(POLL).forEach(listener::onRecord);
                long now = System.nanoTime();
                listener.onTime(now);
                if (now - lookedNanos >= BETWEEN_LOOKS.toNanos()) {
                    lookedNanos = now;
                    assignNewPartitions();
                }
            }
        } catch (WakeupException e) {
            // closed
        } catch (RuntimeException e) {
            LOG.error("answers cannot be read any more", e);
            listener.onEnd(e);
        } catch (Error e) { // nobody else would end what waits
            listener.onEnd(new IllegalStateException("answers cannot be read any more: " + e, e));
            throw e;
        }
    }

    /** Asks the metadata that the consumer has, which it refreshes by itself. */
    private void assignNewPartitions() {
        List<TopicPartition> added = new ArrayList<>();
        try {
            for (String topic : topics) {
                for (PartitionInfo partition : consumer.partitionsFor(topic, BETWEEN_LOOKS)) {
                    var place = new TopicPartition(topic, partition.partition());
                    if (assigned.add(place)) {
                        added.add(place);
                    }
                }
            }
        } catch (TimeoutException e) {
            LOG.debug("no metadata now", e);
        }
        if (!added.isEmpty()) {
            LOG.info("new partitions are read too: {}", added);
            consumer.assign(assigned);
            consumer.seekToBeginning(added);
        }
    }

    /** Ends reading. */
    void stop() {
        closed = true;
        consumer.wakeup();
    }

    /** Waits until reading has ended; not from the listener. */
    void join(Duration patience) throws InterruptedException {
        var _ = thread.join(patience);
    }
}
