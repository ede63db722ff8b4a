package io.millrace.streams.app;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.StreamsConfig;

/** Clients beside Kafka Streams, with the same properties as far as they know them. */
final class PlainClients {

    private PlainClients() {}

    static Admin admin(Map<String, Object> kafka) {
        return Admin.create(known(kafka, AdminClientConfig.configNames(), StreamsConfig.ADMIN_CLIENT_PREFIX));
    }

    /** For records that may be lost: it never waits long. */
    static Producer<byte[], byte[]> producer(Map<String, Object> kafka) {
        Map<String, Object> config = known(kafka, ProducerConfig.configNames(), StreamsConfig.PRODUCER_PREFIX);
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 1_000);
        config.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 1024L * 1024);
        config.put(ProducerConfig.BATCH_SIZE_CONFIG, 16_384);
        config.put(ProducerConfig.LINGER_MS_CONFIG, 100);
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Without a group, from the beginning of what it is assigned; made to follow a topic on which little happens. */
    static Consumer<byte[], byte[]> consumer(Map<String, Object> kafka) {
        // an answer with nothing in it is due less often: idle costs less, and a record is still answered at once
        return consumer(kafka, Map.of(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 5_000));
    }

    /** Without a group unless one is among the overrides. Reads what is committed, from the beginning; commits nothing. */
    static Consumer<byte[], byte[]> consumer(Map<String, Object> kafka, Map<String, Object> overrides) {
        Map<String, Object> config = known(kafka, ConsumerConfig.configNames(), StreamsConfig.CONSUMER_PREFIX);
        config.remove(ConsumerConfig.GROUP_ID_CONFIG);
        config.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        config.putAll(overrides);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static Map<String, Object> known(Map<String, Object> kafka, Iterable<String> names, String prefix) {
        Map<String, Object> config = new HashMap<>();
        for (String name : names) {
            Object value = kafka.getOrDefault(prefix + name, kafka.get(name));
            if (value != null) {
                config.put(name, value);
            }
        }
        return config;
    }
}
