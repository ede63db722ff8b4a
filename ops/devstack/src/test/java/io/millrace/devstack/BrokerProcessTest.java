package io.millrace.devstack;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BrokerProcessTest {

    @Test
    void shouldKeepAcknowledgedRecordsThroughAKill(@TempDir Path directory) {
        int port = BrokerProcess.freePort();
        BrokerProcess first = BrokerProcess.start(directory, port, Map.of());
        TestKafka client = TestKafka.on(first.bootstrapServers());
        client.createTopic("kept", 1, Map.of());
        client.produce(List.of(new ProducerRecord<>("kept", "before the kill".getBytes(UTF_8))));
        first.kill();
        try (BrokerProcess second = BrokerProcess.start(directory, port, Map.of())) {
            assertThat(second.bootstrapServers()).isEqualTo(first.bootstrapServers());
            assertThat(client.readCommitted("kept"))
                    .extracting(r -> new String(r.value(), UTF_8))
                    .containsExactly("before the kill");
        }
    }

    @Test
    void shouldExplainItsArguments() {
        assertThatThrownBy(() -> BrokerMain.main(new String[] {"/tmp"}))
                .hasMessage("args=[/tmp], expected=DIRECTORY PORT [property=value]...");
        assertThatThrownBy(() -> BrokerMain.main(new String[] {"/tmp", "9092", "quick"}))
                .hasMessage("property=quick, expected=name=value");
    }
}
