package io.millrace.devstack;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedKafkaTest {

    @Test
    void shouldKeepRecordsAcrossARestartOnTheSameDirectoryAndPort(@TempDir Path directory) {
        int port = Ports.free();
        EmbeddedKafkaOptions options =
                EmbeddedKafkaOptions.persistent(directory).withPort(port);
        try (EmbeddedKafka kafka = EmbeddedKafka.start(options)) {
            TestKafka client = TestKafka.on(kafka.bootstrapServers());
            client.createTopic("kept", 1, Map.of());
            client.produce(List.of(new ProducerRecord<>("kept", "before".getBytes(UTF_8))));
        }
        try (EmbeddedKafka kafka = EmbeddedKafka.start(options)) {
            assertThat(kafka.bootstrapServers()).isEqualTo("127.0.0.1:" + port);
            TestKafka client = TestKafka.on(kafka.bootstrapServers());
            assertThat(client.readCommitted("kept"))
                    .extracting(r -> new String(r.value(), UTF_8))
                    .containsExactly("before");
        }
    }

    @Test
    void shouldDeleteATemporaryDirectoryOnClose() {
        EmbeddedKafka kafka = EmbeddedKafka.start();
        Path directory = kafka.directory();
        assertThat(directory).isDirectory();
        kafka.close();
        kafka.close();
        assertThat(directory).doesNotExist();
    }

    @Test
    void shouldNameAPortInUse(@TempDir Path directory) throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            int port = taken.getLocalPort();
            assertThatThrownBy(() -> EmbeddedKafka.start(
                            EmbeddedKafkaOptions.persistent(directory).withPort(port)))
                    .isInstanceOf(KafkaStartException.class)
                    .hasMessage(
                            "port=" + port + ", expected=a free port: another process listens on 127.0.0.1:" + port);
        }
    }

    @Test
    void shouldNameADirectoryThatAnotherBrokerUses(@TempDir Path directory) {
        try (EmbeddedKafka kafka = EmbeddedKafka.start(directory)) {
            assertThatThrownBy(() -> EmbeddedKafka.start(directory))
                    .isInstanceOf(KafkaStartException.class)
                    .hasMessage("directory=" + kafka.directory() + ", expected=a directory that no other broker uses: "
                            + directory.resolve("millrace-broker.lock") + " is locked");
        }
    }

    @Test
    void shouldNameADirectoryThatCannotBeMade(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "in the way");
        assertThatThrownBy(() -> EmbeddedKafka.start(file.resolve("kafka")))
                .isInstanceOf(KafkaStartException.class)
                .hasMessage("directory=" + file.resolve("kafka") + ", expected=a directory that can be written");
    }

    @Test
    void shouldRejectAPortOutOfRange() {
        assertThatThrownBy(() -> EmbeddedKafkaOptions.temporary().withPort(65536))
                .hasMessage("port=65536, expected=1 to 65535");
    }

    @Test
    void shouldReleaseTheDirectoryIfTheBrokerRejectsAProperty(@TempDir Path directory) {
        EmbeddedKafkaOptions bad = EmbeddedKafkaOptions.persistent(directory).withProperty("num.io.threads", "none");
        assertThatThrownBy(() -> EmbeddedKafka.start(bad))
                .isInstanceOf(KafkaStartException.class)
                .hasMessageContaining("num.io.threads");
        EmbeddedKafka.start(directory).close();
    }

    @Test
    void shouldServeTransactionsAndTellTheLastStableOffset() {
        try (EmbeddedKafka kafka = EmbeddedKafka.start()) {
            TestKafka client = TestKafka.on(kafka.bootstrapServers());
            String topic = client.uniqueTopic("tx", 1);
            try (KafkaProducer<byte[], byte[]> producer = client.producer(Map.of("transactional.id", "tx"))) {
                producer.initTransactions();
                producer.beginTransaction();
                var _ = producer.send(new ProducerRecord<>(topic, "open".getBytes(UTF_8)));
                producer.flush();
                assertThat(client.endOffsets(topic).values()).containsExactly(1L);
                assertThat(client.lastStableOffsets(topic).values()).containsExactly(0L);
                assertThat(client.readCommitted(topic)).isEmpty();
                producer.commitTransaction();
            }
            client.awaitNoOpenTransaction(topic);
            assertThat(client.readCommitted(topic)).hasSize(1);
        }
    }
}
