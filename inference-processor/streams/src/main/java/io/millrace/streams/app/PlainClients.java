package io.millrace.streams.app;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
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
