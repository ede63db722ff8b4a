package io.millrace.devstack;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.devstack.TcpProxy.Loss;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class ProxiedKafkaTest {

    /** The broker has committed, the producer asks again, and nothing is committed twice. */
    @Test
    void shouldHaveATransactionCommittedOnceWhoseAcknowledgementIsLost() {
        try (ProxiedKafka proxied = ProxiedKafka.start()) {
            TestKafka kafka = proxied.kafka();
            kafka.createTopic("topic", 1, Map.of());
            try (KafkaProducer<byte[], byte[]> producer = kafka.producer(
                    Map.of("bootstrap.servers", proxied.proxy().bootstrapServers(), "transactional.id", "mine"))) {
                producer.initTransactions();
                producer.beginTransaction();
                var _ = producer.send(new ProducerRecord<>("topic", "once".getBytes(UTF_8)));
                producer.flush();
                CompletableFuture<Void> lost = proxied.proxy().loseNextEndTxnResponse(Loss.CUT);
                producer.commitTransaction();

                assertThat(lost).succeedsWithin(Duration.ofSeconds(30));
                assertThat(proxied.proxy().connections())
                        .as("it goes by the proxy")
                        .isPositive();
            }
            assertThat(kafka.readCommitted("topic")).hasSize(1);
        }
    }
}
