package io.millrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;

class PromptSubmitterTest {

    private static final Serializer<PromptRequest> JSON =
            RecordSerdes.serializer(PromptRequest.class, Map.of("value.format", "json"));

    @Test
    void shouldKeyByRequestIdAndTakePartitionsInTurnWithoutOne() throws InterruptedException {
        MockProducer<byte[], byte[]> producer = producer(true);
        try (var submitter = new PromptSubmitter(producer, JSON, "prompts", (line, e) -> {})) {
            submitter.submit(1, PromptRequest.newBuilder().setPrompt("a").build());
            submitter.submit(2, PromptRequest.newBuilder().setPrompt("b").build());
            submitter.submit(3, PromptRequest.newBuilder().setPrompt("c").build());
            submitter.submit(
                    4,
                    PromptRequest.newBuilder()
                            .setPrompt("d")
                            .setRequestId("ticket-7")
                            .build());

            assertThat(submitter.finish()).isEqualTo(new PromptSubmitter.Summary(4, 0));
        }
        List<ProducerRecord<byte[], byte[]>> sent = producer.history();
        assertThat(sent.subList(0, 3)).extracting(ProducerRecord::partition).containsExactly(0, 1, 0);
        assertThat(sent.get(3).partition()).isNull();
        assertThat(sent.get(3).key()).isEqualTo("ticket-7".getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void shouldReportALineThatKafkaRefuses() throws InterruptedException {
        MockProducer<byte[], byte[]> producer = producer(false);
        List<String> reports = new ArrayList<>();
        try (var submitter = new PromptSubmitter(
                producer, JSON, "prompts", (line, e) -> reports.add(line + ": " + e.getMessage()))) {
            submitter.submit(1, PromptRequest.newBuilder().setPrompt("a").build());
            submitter.submit(2, PromptRequest.newBuilder().setPrompt("b").build());
            producer.completeNext();
            producer.errorNext(new RecordTooLargeException("too large"));

            assertThat(submitter.finish()).isEqualTo(new PromptSubmitter.Summary(1, 1));
        }
        assertThat(reports).containsExactly("2: too large");
    }

    private static MockProducer<byte[], byte[]> producer(boolean autoComplete) {
        Node node = new Node(1, "localhost", 9092);
        Node[] nodes = {node};
        List<PartitionInfo> partitions = List.of(
                new PartitionInfo("prompts", 0, node, nodes, nodes),
                new PartitionInfo("prompts", 1, node, nodes, nodes));
        Cluster cluster = new Cluster("cluster", List.of(node), partitions, java.util.Set.of(), java.util.Set.of());
        return new MockProducer<>(cluster, autoComplete, null, new ByteArraySerializer(), new ByteArraySerializer());
    }
}
