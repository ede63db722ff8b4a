package io.millrace.bench.pipeline;

import io.millrace.devstack.BrokerMain;
import io.millrace.devstack.ChildJvm;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;

/**
 * The bench's Kafka: a broker in a JVM of its own, who sends prompts to it, and who reads endings from it.
 *
 * <p>Threads: {@link #send} from one thread; readers have their own.
 */
final class BenchKafka implements AutoCloseable {

    private static final Duration START = Duration.ofMinutes(2);
    private static final Duration STOP = Duration.ofSeconds(30);

    private final ChildJvm broker;
    private final Map<String, Object> properties;
    private final Producer<byte[], byte[]> producer;
    private final Serializer<PromptRequest> serializer;

    private BenchKafka(ChildJvm broker, String bootstrapServers) {
        this.broker = broker;
        this.properties = Map.of("bootstrap.servers", bootstrapServers);
        this.producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        bootstrapServers,
                        ProducerConfig.ACKS_CONFIG,
                        "all",
                        ProducerConfig.LINGER_MS_CONFIG,
                        0),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        this.serializer = RecordSerdes.serializer(PromptRequest.class, properties);
    }

    /** Starts the broker, which keeps its data in this folder. */
    static BenchKafka start(Path folder) throws InterruptedException {
        Path ready = folder.resolve(BrokerMain.READY_FILE);
        ChildJvm broker;
        try {
            Files.createDirectories(folder);
            broker = ChildJvm.start(new ChildJvm.Command(
                    "the broker",
                    BrokerMain.class.getName(),
                    List.of("-Xmx512m"),
                    List.of(folder.toString(), Integer.toString(freePort())),
                    Map.of(),
                    folder.resolve("broker.log")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try {
            broker.awaitReady(() -> Files.exists(ready), START);
            return new BenchKafka(broker, Files.readString(ready));
        } catch (IOException e) {
            broker.close();
            throw new UncheckedIOException(e);
        } catch (RuntimeException | InterruptedException e) {
            broker.close();
            throw e;
        }
    }

    static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    String bootstrapServers() {
        return String.valueOf(properties.get("bootstrap.servers"));
    }

    Map<String, Object> properties() {
        return properties;
    }

    /** CPU time of the broker so far. */
    double cpuSeconds() {
        return broker.cpuSeconds();
    }

    Admin admin() {
        return Admin.create(properties);
    }

    /** Creates a topic, and returns when the broker tells clients of it. */
    void createTopic(String name, int partitions) throws InterruptedException {
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(name, Optional.of(partitions), Optional.empty())))
                    .all()
                    .get();
            broker.awaitReady(() -> isKnown(admin, name), START);
        } catch (ExecutionException e) {
            throw new IllegalStateException("topic " + name + " not created", e);
        }
    }

    private static boolean isKnown(Admin admin, String topic) {
        try {
            admin.describeTopics(List.of(topic)).allTopicNames().get();
            return true;
        } catch (ExecutionException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Sends a prompt under its index as the key; a prompt that does not arrive fails the run. */
    void send(String topic, Prompt prompt, Endings endings) {
        byte[] value = serializer.serialize(topic, prompt.request());
        var _ = producer.send(new ProducerRecord<>(topic, prompt.key(), value), (metadata, e) -> {
            if (e != null) {
                endings.failed("prompt " + prompt.index() + " not sent: " + e);
            }
        });
    }

    /** A read_committed consumer of what comes to these topics from now on. */
    KafkaConsumer<byte[], byte[]> reader(List<String> topics) {
        KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        bootstrapServers(),
                        ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                        "read_committed",
                        ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                        false,
                        ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                        "latest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        List<TopicPartition> partitions = topics.stream()
                .flatMap(topic -> consumer.partitionsFor(topic).stream())
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .toList();
        consumer.assign(partitions);
        consumer.seekToEnd(partitions);
        // positions are looked up lazily: a prompt must not be answered before
        partitions.forEach(consumer::position);
        return consumer;
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(1));
        var _ = broker.stop(STOP);
    }
}
