package io.millrace.ingest;

import static io.millrace.ingest.PromptClientTest.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.BrokerProcess;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is between the client and the processor fails, or is quicker than it should be. */
@WithKafka
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PromptClientFaultsTest {

    private static final Map<String, String> JSON = Map.of("value.format", "json");

    @Test
    void shouldAnswerOverAKilledBroker(@TempDir Path directory) {
        int port = BrokerProcess.freePort();
        try (BrokerProcess first = BrokerProcess.start(directory, port, Map.of())) {
            TestKafka kafka = TestKafka.on(first.bootstrapServers());
            PromptClientOptions options = PromptClientTest.options(kafka, Map.of());
            try (Admin _ = kafka.admin();
                    PromptClient client = PromptClient.open(options)) {
                List<CompletableFuture<Answer>> before = submit(client, "before");
                first.kill();
                // a producer that has lost all brokers forgets the topics after a while, and waits for them
                var during = CompletableFuture.supplyAsync(() -> submit(client, "during"));
                try (BrokerProcess _ = BrokerProcess.start(directory, port, Map.of());
                        StubProcessor processor = StubProcessor.echo(kafka, options)) {
                    List<CompletableFuture<Answer>> after = submit(client, "after");
                    assertThat(before)
                            .allSatisfy(answer -> assertThat(get(answer).text()).isEqualTo("before"));
                    assertThat(during.join())
                            .allSatisfy(answer -> assertThat(get(answer).text()).isEqualTo("during"));
                    assertThat(after)
                            .allSatisfy(answer -> assertThat(get(answer).text()).isEqualTo("after"));
                    assertThat(processor.received())
                            .as("no prompt is there twice")
                            .hasSize(before.size() + during.join().size() + after.size());
                }
            }
        }
    }

    private static List<CompletableFuture<Answer>> submit(PromptClient client, String text) {
        return IntStream.range(0, 20)
                .mapToObj(i -> client.submit(Prompt.chat(text).build()))
                .toList();
    }

    /** The reader is held up by an answer while the topic loses the next ones, and has no place to read on. */
    @Test
    void shouldReadTheRestOfWhatRetentionTookAway(TestKafka kafka) throws Exception {
        String topic = kafka.uniqueTopic("results", 1);
        var read = new LinkedBlockingQueue<Long>();
        var go = new CountDownLatch(1);
        AnswerReader reader = AnswerReader.start(
                Map.of(
                        "bootstrap.servers",
                        kafka.bootstrapServers(),
                        "fetch.max.wait.ms",
                        1), // what it asks for ahead comes back empty before there is more
                List.of(topic),
                topic,
                new Holding(read, go));
        try {
            kafka.produce(List.of(answer(topic)));
            assertThat(read.take()).isZero();
            kafka.produce(IntStream.range(0, 5).mapToObj(i -> answer(topic)).toList());
            kafka.admin()
                    .deleteRecords(Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(4)))
                    .all()
                    .get();
            go.countDown();

            assertThat(read.take()).isEqualTo(4);
            assertThat(read.take()).isEqualTo(5);
        } finally {
            go.countDown();
            reader.stop();
        }
    }

    private static ProducerRecord<byte[], byte[]> answer(String topic) {
        return new ProducerRecord<>(topic, new byte[] {'{', '}'});
    }

    /** Holds the reader up at each record until it may go. */
    private record Holding(BlockingQueue<Long> read, CountDownLatch go) implements AnswerReader.Listener {
        @Override
        public void onRecord(ConsumerRecord<byte[], byte[]> record) {
            read.add(record.offset());
            try {
                go.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void onTime(long nowNanos) {}

        @Override
        public void onEnd(RuntimeException cause) {
            read.add(-1L);
        }
    }

    @Test
    void shouldSayThatAPromptWasNotSentWhenTheBrokerStaysAway(@TempDir Path directory) {
        int port = BrokerProcess.freePort();
        try (BrokerProcess broker = BrokerProcess.start(directory, port, Map.of())) {
            TestKafka kafka = TestKafka.on(broker.bootstrapServers());
            Map<String, ?> impatient = Map.of(
                    "delivery.timeout.ms",
                    "1000",
                    "request.timeout.ms",
                    "500",
                    "linger.ms",
                    "0",
                    "max.block.ms",
                    "1000");
            try (PromptClient client = PromptClient.open(PromptClientTest.options(kafka, impatient))) {
                kafka.admin().close();
                broker.kill();
                Prompt prompt = Prompt.chat("x").requestId("r-1").build();
                assertThatThrownBy(() -> get(client.submit(prompt)))
                        .isInstanceOf(PromptException.NotSent.class)
                        .hasMessageStartingWith("request_id=r-1: not sent: ")
                        .hasCauseInstanceOf(TimeoutException.class);
            }
        }
    }

    @Test
    void shouldTakeAnAnswerThatComesBeforeSendReturns(TestKafka kafka) {
        PromptClientOptions options =
                PromptClientTest.options(kafka, Map.of("value.serializer.class", HookedSerializer.class.getName()));
        try (PromptClient client = PromptClient.open(options);
                var answering = kafka.producer(Map.of())) {
            HookedSerializer.HOOK.set(headers -> {
                // the prompt has not left the client: it is still being serialized
                var prompt = new ConsumerRecord<byte[], byte[]>("prompts", 0, 0, new byte[0], new byte[0]);
                headers.forEach(prompt.headers()::add);
                var received = new StubProcessor.Received(
                        prompt,
                        PromptRequest.newBuilder()
                                .setRequestId("r-1")
                                .setPrompt("x")
                                .build());
                var _ = answering.send(StubProcessor.result(json(options), received, "early"));
                answering.flush();
                await().until(() -> client.outstanding() == 0);
            });
            CompletableFuture<Answer> answer = client.submit(Prompt.chat("x").build());
            assertThat(get(answer).text()).isEqualTo("early");
        } finally {
            HookedSerializer.HOOK.set(headers -> {});
        }
    }

    @Test
    void shouldSayThatAPromptWasNotSentWhenItCannotBeWritten(TestKafka kafka) {
        PromptClientOptions options = PromptClientTest.options(
                        kafka, Map.of("value.serializer.class", HookedSerializer.class.getName()))
                .withMaxOutstanding(1);
        Prompt prompt = Prompt.chat("x").requestId("r-1").build();
        HookedSerializer.HOOK.set(headers -> {
            throw new SerializationException("no such schema");
        });
        try (PromptClient client = PromptClient.open(options)) {
            for (int i = 0; i < 2; i++) { // the first keeps no room
                assertThatThrownBy(() -> get(client.submit(prompt)))
                        .isInstanceOf(PromptException.NotSent.class)
                        .hasMessage("request_id=r-1: not sent: no such schema");
            }
            assertThat(client.send(prompt)).isCompletedExceptionally();
        } finally {
            HookedSerializer.HOOK.set(headers -> {});
        }
    }

    @Test
    void shouldKeepAnswersWhileTheRegistryIsAway(TestKafka kafka) {
        PromptClientOptions options = PromptClientTest.options(
                kafka, Map.of("value.deserializer.class", AwayAtFirstDeserializer.class.getName()));
        AwayAtFirstDeserializer.FAILURES_LEFT.set(2);
        try (StubProcessor _ = StubProcessor.echo(kafka, json(options));
                PromptClient client = PromptClient.open(options)) {
            assertThat(get(client.submit(Prompt.chat("x").build())).text()).isEqualTo("x");
            assertThat(AwayAtFirstDeserializer.FAILURES_LEFT).hasValueLessThan(0);
        }
    }

    @Test
    void shouldEndAllPromptsWhenItCannotReadAnyMore(TestKafka kafka) {
        PromptClientOptions options = PromptClientTest.options(kafka, Map.of());
        Outstanding outstanding = new Outstanding(1);
        outstanding.awaitRoom();
        var waiting = new Outstanding.Waiting(
                "r-1", "", options.timeout(), System.nanoTime() + 1_000_000_000L, new CompletableFuture<>());
        outstanding.add("c-1", waiting);

        new AnswerMatcher(options.kafka(), options.topics(), outstanding)
                .onEnd(new IllegalArgumentException("not authorized"));

        assertThatThrownBy(() -> waiting.future().join())
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(PromptException.Closed.class)
                .hasMessageEndingWith(
                        "request_id=r-1: the client stopped: java.lang.IllegalArgumentException: not authorized");
        assertThatThrownBy(outstanding::tryRoom)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the client stopped: not authorized");
    }

    private static PromptClientOptions json(PromptClientOptions options) {
        Map<String, Object> kafka = new HashMap<>(options.kafka());
        kafka.keySet().removeIf(key -> key.startsWith("value."));
        return PromptClientOptions.of(kafka).withTopics(options.topics());
    }

    /** JSON; runs what the test says with the headers of each record first. */
    public static final class HookedSerializer implements Serializer<PromptRequest> {
        static final AtomicReference<Consumer<Headers>> HOOK = new AtomicReference<>(headers -> {});

        private final Serializer<PromptRequest> json = RecordSerdes.serializer(PromptRequest.class, JSON);

        @Override
        public byte[] serialize(String topic, PromptRequest request) {
            return json.serialize(topic, request);
        }

        @Override
        public byte[] serialize(String topic, Headers headers, PromptRequest request) {
            HOOK.get().accept(headers);
            return json.serialize(topic, headers, request);
        }
    }

    /** JSON of results; the registry that it does not need is away some times. */
    public static final class AwayAtFirstDeserializer implements Deserializer<InferenceResult> {
        static final AtomicInteger FAILURES_LEFT = new AtomicInteger();

        private final Deserializer<InferenceResult> json = RecordSerdes.deserializer(InferenceResult.class, JSON);

        @Override
        public InferenceResult deserialize(String topic, byte[] bytes) {
            if (FAILURES_LEFT.getAndDecrement() > 0) {
                throw new TimeoutException("the registry does not answer");
            }
            return json.deserialize(topic, bytes);
        }
    }
}
