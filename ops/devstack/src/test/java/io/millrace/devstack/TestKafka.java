package io.millrace.devstack;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;

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
    public static final Duration TIMEOUT = Duration.ofSeconds(60);

    private static final AtomicInteger UNIQUE = new AtomicInteger();

    private final String bootstrapServers;
    private final Admin admin;

    private TestKafka(String bootstrapServers) {
        this.bootstrapServers = bootstrapServers;
        this.admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers));
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
        return admin;
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
        await(admin.createTopics(List.of(topic)).all(), "topic " + name + " created");
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
        Map<String, Object> config = new HashMap<>();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.putAll(overrides);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
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
        Map<TopicPartition, Long> ends = lastStableOffsets(topic);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
            for (Map.Entry<TopicPartition, Long> end : ends.entrySet()) {
                readPartition(consumer, end.getKey(), end.getValue(), records);
            }
        }
        return records;
    }

    private static void readPartition(
            KafkaConsumer<byte[], byte[]> consumer,
            TopicPartition partition,
            long end,
            List<ConsumerRecord<byte[], byte[]>> into) {
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        long deadlineNanos = System.nanoTime() + TIMEOUT.toNanos();
        while (consumer.position(partition) < end) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                if (record.offset() < end) {
                    into.add(record);
                }
            }
            if (System.nanoTime() > deadlineNanos) {
                throw new IllegalStateException(
                        "not reached: " + partition + " offset " + end + ", position " + consumer.position(partition));
            }
        }
    }

    /** End offsets, which count records of open transactions and the transactions' own markers. */
    public Map<TopicPartition, Long> endOffsets(String topic) {
        return offsets(topic, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED);
    }

    /** Where a read_committed consumer ends: equal to the end offsets when no transaction is open. */
    public Map<TopicPartition, Long> lastStableOffsets(String topic) {
        return offsets(topic, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED);
    }

    /** Waits until no transaction is open on the topic: markers are written after {@code commitTransaction} returns. */
    public void awaitNoOpenTransaction(String topic) {
        Awaitility.await("no open transaction on " + topic)
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> lastStableOffsets(topic).equals(endOffsets(topic)));
    }

    private Map<TopicPartition, Long> offsets(String topic, OffsetSpec spec, IsolationLevel isolation) {
        Map<TopicPartition, OffsetSpec> request =
                partitions(topic).stream().collect(Collectors.toMap(p -> p, p -> spec));
        ListOffsetsOptions options = new ListOffsetsOptions(isolation);
        Map<TopicPartition, Long> offsets =
                new TreeMap<>(Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition));
        await(admin.listOffsets(request, options).all(), "offsets of " + topic)
                .forEach((partition, info) -> offsets.put(partition, info.offset()));
        return offsets;
    }

    public List<TopicPartition> partitions(String topic) {
        int count = Objects.requireNonNull(
                        await(admin.describeTopics(List.of(topic)).allTopicNames(), "topic " + topic + " described")
                                .get(topic))
                .partitions()
                .size();
        return IntStream.range(0, count)
                .mapToObj(partition -> new TopicPartition(topic, partition))
                .toList();
    }

    /** A group's committed offsets; partitions without one are absent. */
    public Map<TopicPartition, Long> committedOffsets(String group) {
        Map<TopicPartition, OffsetAndMetadata> committed = await(
                admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(), "offsets of group " + group);
        Map<TopicPartition, Long> offsets = new HashMap<>();
        committed.forEach((partition, offset) -> {
            if (offset != null) {
                offsets.put(partition, offset.offset());
            }
        });
        return offsets;
    }

    private static <T> T await(KafkaFuture<T> future, String what) {
        try {
            return future.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted: " + what, e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("not reached: " + what, e);
        }
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
