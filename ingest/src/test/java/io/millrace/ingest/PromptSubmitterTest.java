package io.millrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
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

    @Test
    void shouldReportALineThatCannotBeSentAndHoldNoRoomForIt() throws InterruptedException {
        MockProducer<byte[], byte[]> producer = producer(true);
        producer.sendException = new KafkaException("not now");
        int lines = PromptSubmitter.MAX_IN_FLIGHT + 1;
        AtomicInteger reports = new AtomicInteger();
        try (var submitter = new PromptSubmitter(producer, JSON, "prompts", (line, e) -> reports.incrementAndGet())) {
            for (int line = 1; line <= lines; line++) {
                submitter.submit(line, PromptRequest.newBuilder().setPrompt("a").build());
            }
            assertThat(submitter.finish()).isEqualTo(new PromptSubmitter.Summary(0, lines));
        }
        assertThat(reports).hasValue(lines);
    }

    @Test
    void shouldHoldNoRoomWhileTheTopicCannotBeReached() throws InterruptedException {
        MockProducer<byte[], byte[]> producer = producer(true);
        PromptRequest prompt = PromptRequest.newBuilder().setPrompt("a").build();
        try (var submitter = new PromptSubmitter(producer, JSON, "prompts", (line, e) -> {})) {
            producer.partitionsForException = new TimeoutException("no broker");
            for (int line = 1; line <= PromptSubmitter.MAX_IN_FLIGHT; line++) {
                int number = line;
                assertThatThrownBy(() -> submitter.submit(number, prompt)).hasMessage("no broker");
            }
            producer.partitionsForException = null;
            submitter.submit(1, prompt);
            assertThat(submitter.finish()).isEqualTo(new PromptSubmitter.Summary(1, 0));
        }
    }

    @Test
    void shouldWaitForRoomAndGoOnThoughAReportFails() throws Exception {
        MockProducer<byte[], byte[]> producer = producer(false);
        PromptRequest prompt = PromptRequest.newBuilder().setPrompt("a").build();
        try (var submitter = new PromptSubmitter(producer, JSON, "prompts", (line, e) -> {
            throw new IllegalStateException("a report that fails");
        })) {
            for (int line = 1; line <= PromptSubmitter.MAX_IN_FLIGHT; line++) {
                submitter.submit(line, prompt);
            }
            CompletableFuture<Void> next = new CompletableFuture<>();
            Thread waiting = Thread.ofPlatform().start(() -> {
                try {
                    submitter.submit(0, prompt);
                    next.complete(null);
                } catch (InterruptedException e) {
                    next.completeExceptionally(e);
                }
            });
            await().until(() -> waiting.getState() == Thread.State.WAITING);
            assertThat(next).isNotDone();

            assertThatThrownBy(() -> producer.errorNext(new RecordTooLargeException("too large")))
                    .hasMessage("a report that fails");
            next.get(10, TimeUnit.SECONDS);
            assertThat(submitter.finish()).isEqualTo(new PromptSubmitter.Summary(PromptSubmitter.MAX_IN_FLIGHT, 1));
        }
    }

    /** Kafka refuses what contradicts it where it is asked for, and drops it in silence where it is only the default. */
    @Test
    void shouldAskForAnIdempotentProducerWhateverTheCallersPropertiesSay() {
        Map<String, Object> contradicting =
                Map.of("bootstrap.servers", "localhost:1", "max.in.flight.requests.per.connection", 6);
        assertThatThrownBy(() -> PromptSubmitter.idempotentProducer(contradicting))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("idempotent");
        Map<String, Object> overridden =
                Map.of("bootstrap.servers", "localhost:1", "enable.idempotence", "false", "acks", "1");
        assertThatCode(() -> PromptSubmitter.idempotentProducer(overridden).close(Duration.ZERO))
                .doesNotThrowAnyException();
        Map<String, Object> both = new HashMap<>(contradicting);
        both.put("enable.idempotence", false);
        assertThatThrownBy(() -> PromptSubmitter.idempotentProducer(both)).isInstanceOf(ConfigException.class);
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
