package io.millrace.bench.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import org.junit.jupiter.api.Test;

class GroupTest {

    @Test
    void shouldKnowAWorkerByTheClientIdOfItsStreamThreads() {
        // Given: as the processor names itself, and Kafka Streams its threads
        String clientId = "worker-2-" + UUID.randomUUID() + "-StreamThread-1-consumer";

        // When, Then
        assertThat(Group.workerOf(clientId)).contains("worker-2");
        assertThat(Group.workerOf("load")).isEmpty();
    }
}
