package io.millrace.devstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KafkaClusterTest {

    private static final Duration TIMEOUT = Duration.ofMinutes(2);

    @Test
    void shouldKeepWhatItAcknowledgedWhileOneNodeIsKilledAndAnotherRestarts(@TempDir Path directory) throws Exception {
        try (KafkaCluster cluster = KafkaCluster.start(directory);
                TopicReader reader = new TopicReader(Map.of("bootstrap.servers", cluster.bootstrapServers()))) {
            TopicReader.await(
                    reader.admin()
                            .createTopics(List.of(new NewTopic("log", 3, (short) 3)))
                            .all(),
                    "created");
            assertThat(TopicReader.await(reader.admin().describeCluster().nodes(), "nodes"))
                    .extracting(Node::port)
                    .containsExactlyInAnyOrder(
                            cluster.proxy(0).port(),
                            cluster.proxy(1).port(),
                            cluster.proxy(2).port());
            assertThat(nodes()).hasSize(3);
            send(cluster, "whole");

            cluster.kill(0);
            send(cluster, "two nodes");
            cluster.restart(0);
            cluster.awaitInSync();
            cluster.stop(1);
            send(cluster, "another two");
            cluster.restart(1);
            cluster.awaitInSync();

            assertThat(reader.readCommitted("log"))
                    .extracting(record -> new String(record.value(), StandardCharsets.UTF_8))
                    .containsExactlyInAnyOrder("whole", "two nodes", "another two");
        }
        await("the nodes are gone with their owner").atMost(TIMEOUT).until(() -> nodes().isEmpty());
    }

    private static List<ProcessHandle> nodes() {
        return ProcessHandle.current().children().toList();
    }

    private static void send(KafkaCluster cluster, String text) throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", cluster.bootstrapServers(), "acks", "all");
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>("log", text.getBytes(StandardCharsets.UTF_8)))
                    .get();
        }
    }
}
