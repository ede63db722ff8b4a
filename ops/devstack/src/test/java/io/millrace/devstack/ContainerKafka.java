package io.millrace.devstack;

import java.util.Map;
import java.util.Optional;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.kafka.KafkaContainer;

/** The broker in a container. Testcontainers' own reaper removes it when the test JVM ends. */
final class ContainerKafka {
    static final String IMAGE = "apache/kafka:4.3.1";

    /** As {@link BrokerProperties}, in the image's environment form. */
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "KAFKA_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS", "1000",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false",
            "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS", "4",
            "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "4");

    private ContainerKafka() {}

    /** Why no container can run here; empty where one can. */
    static Optional<String> obstacle() {
        return DockerClientFactory.instance().isDockerAvailable()
                ? Optional.empty()
                : Optional.of("-Dkafka=container needs Docker, and no Docker engine answers here");
    }

    @SuppressWarnings("resource") // lives as long as the test JVM
    static String start() {
        KafkaContainer container = new KafkaContainer(IMAGE).withEnv(ENVIRONMENT);
        container.start();
        return container.getBootstrapServers();
    }
}
