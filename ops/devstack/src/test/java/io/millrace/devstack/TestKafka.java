package io.millrace.devstack;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The Kafka of integration tests and what they do with it. One broker per test JVM, started on first use: the embedded one, or with
 * {@code -Dkafka=container} the image {@code apache/kafka} in Docker.
 *
 * <p>A test class takes it as a parameter:
 *
 * <pre>{@code
 * @WithKafka
 * class MyTest {
 *     @Test
 *     void shouldDoIt(TestKafka kafka) { … kafka.uniqueTopic("prompts", 4) … }
 * }
 * }</pre>
 *
 * <p>All methods may be called from any thread. Waits end after {@link #TIMEOUT} with an exception that says what was awaited.
 */
public final class TestKafka {
    /** How long any call here may take. */
    public static final Duration TIMEOUT = TopicReader.TIMEOUT;

    private static final AtomicInteger UNIQUE = new AtomicInteger();

    private final String bootstrapServers;
    private final TopicReader reader;

    private TestKafka(String bootstrapServers) {
        this.bootstrapServers = bootstrapServers;
        this.reader = new TopicReader(Map.of("bootstrap.servers", bootstrapServers));
    }

    /** This JVM's broker; tests on a broker that another test may kill start their own and use {@link #on}. */
    public static TestKafka shared() {
        return Shared.KAFKA;
    }

    /** The same helpers on a given broker. Its admin client lives as long as the JVM. */
    public static TestKafka on(String bootstrapServers) {
        return new TestKafka(bootstrapServers);
    }

    public String bootstrapServers() {
        return bootstrapServers;
    }

    public Admin admin() {
        return reader.admin();
    }

    /** What looks at whole topics. It lives as long as the JVM. */
    public TopicReader reader() {
        return reader;
    }

    /** A name that no other test uses: {@code prefix-<n>-<pid>}. */
    public static String uniqueName(String prefix) {
        return prefix + "-" + UNIQUE.incrementAndGet() + "-"
                + ProcessHandle.current().pid();
    }

    /** Creates a topic under a name that no other test uses, and returns the name. */
    public String uniqueTopic(String prefix, int partitions) {
        String name = uniqueName(prefix);
        createTopic(name, partitions, Map.of());
        return name;
    }

    public void createTopic(String name, int partitions, Map<String, String> configs) {
        NewTopic topic = new NewTopic(name, Optional.of(partitions), Optional.of((short) 1)).configs(configs);
        TopicReader.await(admin().createTopics(List.of(topic)).all(), "topic " + name + " created");
    }

    /** A producer of bytes with acks=all; the caller closes it. */
    public KafkaProducer<byte[], byte[]> producer(Map<String, ?> overrides) {
        Map<String, Object> config = new HashMap<>();
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        config.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        config.putAll(overrides);
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** A consumer of bytes, read_committed, without a group, from the beginning; the caller closes it. */
    public KafkaConsumer<byte[], byte[]> consumer(Map<String, ?> overrides) {
        return reader.consumer(overrides);
    }

    /** Sends the records and waits until all are acknowledged. */
    public void produce(Collection<ProducerRecord<byte[], byte[]>> records) {
        try (KafkaProducer<byte[], byte[]> producer = producer(Map.of())) {
            List<Future<?>> sent = new ArrayList<>();
            for (ProducerRecord<byte[], byte[]> record : records) {
                sent.add(producer.send(record));
            }
            producer.flush();
            for (Future<?> future : sent) {
                future.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while producing", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("could not produce", e);
        }
    }

    /**
     * All committed records of a topic, partition by partition, up to the last stable offsets at the time of the call. An open
     * transaction hides what follows it, as it does from every read_committed consumer.
     */
    public List<ConsumerRecord<byte[], byte[]>> readCommitted(String topic) {
        return reader.readCommitted(topic);
    }

    /** End offsets, which count records of open transactions and the transactions' own markers. */
    public Map<TopicPartition, Long> endOffsets(String topic) {
        return reader.endOffsets(topic);
    }

    /** Where a read_committed consumer ends: equal to the end offsets when no transaction is open. */
    public Map<TopicPartition, Long> lastStableOffsets(String topic) {
        return reader.lastStableOffsets(topic);
    }

    /** Waits until no transaction is open on the topic: markers are written after {@code commitTransaction} returns. */
    public void awaitNoOpenTransaction(String topic) {
        reader.awaitNoOpenTransaction(topic);
    }

    public List<TopicPartition> partitions(String topic) {
        return reader.partitions(topic);
    }

    /** A group's committed offsets; partitions without one are absent. */
    public Map<TopicPartition, Long> committedOffsets(String group) {
        return reader.committedOffsets(group);
    }

    private static final class Shared {
        static final TestKafka KAFKA = new TestKafka(start());

        private static String start() {
            if (KafkaChoice.current() == KafkaChoice.CONTAINER) {
                return ContainerKafka.start();
            }
            EmbeddedKafka kafka = EmbeddedKafka.start();
            Runtime.getRuntime().addShutdownHook(new Thread(kafka::close, "test-kafka-shutdown"));
            return kafka.bootstrapServers();
        }
    }
}
