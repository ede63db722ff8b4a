package io.millrace.devstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;

class KafkaExtensionTest {

    @Test
    void shouldSkipWithTheReasonWhereNoDockerIs() {
        ConditionEvaluationResult result =
                KafkaExtension.evaluate(KafkaChoice.CONTAINER, () -> Optional.of("no Docker engine answers here"));
        assertThat(result.isDisabled()).isTrue();
        assertThat(result.getReason()).contains("no Docker engine answers here");
    }

    @Test
    void shouldRunOnAContainerWhereDockerIs() {
        assertThat(KafkaExtension.evaluate(KafkaChoice.CONTAINER, Optional::empty)
                        .isDisabled())
                .isFalse();
    }

    @Test
    void shouldNotAskForDockerWhenEmbedded() {
        ConditionEvaluationResult result = KafkaExtension.evaluate(KafkaChoice.EMBEDDED, () -> {
            throw new AssertionError("asked");
        });
        assertThat(result.isDisabled()).isFalse();
    }

    @Test
    void shouldRejectAnUnknownChoice() {
        assertThatThrownBy(() -> KafkaChoice.of("cloud")).hasMessage("kafka=cloud, expected=embedded or container");
    }

    @Test
    @WithKafka
    void shouldGiveTheSharedBrokerToATest(TestKafka kafka) {
        String topic = kafka.uniqueTopic("shared", 3);
        kafka.produce(
                List.of(new ProducerRecord<>(topic, new byte[] {1}), new ProducerRecord<>(topic, new byte[] {2})));
        assertThat(kafka.readCommitted(topic)).hasSize(2);
        assertThat(kafka.partitions(topic)).hasSize(3);
        assertThat(kafka.committedOffsets(TestKafka.uniqueName("nobody"))).isEmpty();
        assertThat(TestKafka.shared()).isSameAs(kafka);
    }
}
