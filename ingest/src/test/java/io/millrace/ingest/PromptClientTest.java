package io.millrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.ingest.PromptClientOptions.Topics;
import io.millrace.ingest.StubProcessor.Received;
import io.millrace.schemas.FailureCode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@WithKafka
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PromptClientTest {

    private static final Duration LONG = Duration.ofSeconds(60);

    @Test
    void shouldBringEachPromptItsOwnAnswer(TestKafka kafka) {
        PromptClientOptions options = options(kafka);
        try (StubProcessor processor = StubProcessor.echo(kafka, options);
                PromptClient client = PromptClient.open(options)) {
            List<CompletableFuture<Answer>> answers = IntStream.range(0, 20)
                    .mapToObj(i -> client.submit(
                            Prompt.chat("prompt " + i).header("mine", "x").build()))
                    .toList();

            for (int i = 0; i < answers.size(); i++) {
                assertThat(get(answers.get(i)).text()).isEqualTo("prompt " + i);
            }
            assertThat(client.outstanding()).isZero();
            Received first = processor.received().getFirst();
            assertThat(first.request().getRequestId()).matches("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-.*");
            assertThat(new String(first.record().key(), StandardCharsets.UTF_8))
                    .isEqualTo(first.request().getRequestId());
            assertThat(first.header("traceparent")).matches("00-[0-9a-f]{32}-[0-9a-f]{16}-01");
        }
    }

    @Test
    void shouldSendWhatThePromptSays(TestKafka kafka) {
        PromptClientOptions options = options(kafka);
        String trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        Instant deadline = Instant.ofEpochMilli(4_000_000_000_000L);
        try (StubProcessor processor = StubProcessor.echo(kafka, options);
                PromptClient client = PromptClient.open(options)) {
            Prompt prompt = Prompt.chat("x")
                    .requestId("ticket-7")
                    .key("customer-3")
                    .deadline(deadline)
                    .traceparent(trace)
                    .header("tracestate", "vendor=1")
                    .build();
            Answer answer = get(client.submit(prompt));

            assertThat(answer.requestId()).isEqualTo("ticket-7");
            assertThat(answer.traceparent()).isEqualTo(trace);
            Received received = processor.received().getFirst();
            assertThat(received.record().key()).isEqualTo("customer-3".getBytes(StandardCharsets.UTF_8));
            assertThat(received.request().getDeadline()).isEqualTo(deadline);
            assertThat(received.header("traceparent")).isEqualTo(trace);
            assertThat(received.header("tracestate")).isEqualTo("vendor=1");
        }
    }

    @Test
    void shouldThrowWhatKeepsTheAnswerAway(TestKafka kafka) {
        PromptClientOptions options = options(kafka);
        try (StubProcessor _ = StubProcessor.start(
                        kafka,
                        options,
                        prompt -> List.of(
                                switch (prompt.request().getPrompt()) {
                                    case "wrong" ->
                                        StubProcessor.failure(options, prompt, "temperature=9, expected=0 to 2");
                                    case "dead" -> StubProcessor.deadLetter(options, prompt, "not JSON");
                                    default ->
                                        StubProcessor.record(options.topics().results(), prompt, new byte[] {1, 2});
                                }));
                PromptClient client = PromptClient.open(options)) {
            assertThatThrownBy(() -> get(
                            client.submit(Prompt.chat("wrong").requestId("r-1").build())))
                    .isInstanceOfSatisfying(PromptException.Failed.class, e -> {
                        assertThat(e.code()).isEqualTo(FailureCode.INVALID_REQUEST);
                        assertThat(e.isRetriable()).isFalse();
                        assertThat(e.failure().getRequestId()).isEqualTo("r-1");
                        assertThat(e.requestId()).isEqualTo("r-1");
                    })
                    .hasMessage("request_id=r-1: INVALID_REQUEST: temperature=9, expected=0 to 2");
            assertThatThrownBy(() -> get(
                            client.submit(Prompt.chat("dead").requestId("r-2").build())))
                    .isInstanceOf(PromptException.DeadLettered.class)
                    .hasMessage("request_id=r-2: the processor cannot read it: not JSON");
            assertThatThrownBy(() -> get(client.submit(
                            Prompt.chat("garbage").requestId("r-3").build())))
                    .isInstanceOf(PromptException.Unreadable.class)
                    .hasMessageMatching("request_id=r-3: the record at results-.*-[01]@\\d+ cannot be read: .*");
        }
    }

    @Test
    void shouldHoldThousandsOutstanding(TestKafka kafka) {
        int prompts = 5_000;
        PromptClientOptions options = options(kafka).withMaxOutstanding(prompts);
        try (PromptClient client = PromptClient.open(options)) {
            List<CompletableFuture<Answer>> answers = IntStream.range(0, prompts)
                    .mapToObj(
                            i -> client.submit(Prompt.chat(Integer.toString(i)).build()))
                    .toList();
            assertThat(client.outstanding()).isEqualTo(prompts);
            assertThat(client.trySubmit(Prompt.chat("one too many").build())).isEmpty();

            try (StubProcessor processor = StubProcessor.echo(kafka, options)) {
                for (int i = 0; i < prompts; i++) {
                    assertThat(get(answers.get(i)).text()).isEqualTo(Integer.toString(i));
                }
                assertThat(processor.received()).hasSize(prompts);
            }
        }
    }

    @Test
    void shouldHoldBackWhoSubmitsWhileTooManyAreOutstanding(TestKafka kafka) throws Exception {
        PromptClientOptions options = options(kafka).withMaxOutstanding(2);
        Prompt prompt = Prompt.chat("x").build();
        try (PromptClient client = PromptClient.open(options)) {
            List<CompletableFuture<Answer>> first = List.of(client.submit(prompt), client.submit(prompt));
            assertThat(client.trySubmit(prompt)).isEmpty();
            CompletableFuture<CompletableFuture<Answer>> third = new CompletableFuture<>();
            Thread waiting = Thread.ofPlatform().start(() -> third.complete(client.submit(prompt)));
            await().until(() -> waiting.getState() == Thread.State.WAITING);
            assertThat(third).isNotDone();

            first.getFirst().cancel(true); // gives its place to the third
            CompletableFuture<Answer> submitted = third.get(LONG.toSeconds(), TimeUnit.SECONDS);
            assertThat(client.outstanding()).isEqualTo(2);
            try (StubProcessor _ = StubProcessor.echo(kafka, options)) {
                assertThat(get(submitted).text()).isEqualTo("x");
                assertThat(get(first.getLast()).text()).isEqualTo("x");
                assertThat(client.trySubmit(prompt).map(PromptClientTest::get)).isPresent();
            }
        }
    }

    @Test
    void shouldStopWaitingForRoomWhenInterrupted(TestKafka kafka) {
        Prompt prompt = Prompt.chat("x").build();
        try (PromptClient client = PromptClient.open(options(kafka).withMaxOutstanding(1))) {
            CompletableFuture<Answer> only = client.submit(prompt);
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> client.submit(prompt))
                    .isInstanceOf(InterruptException.class)
                    .hasMessage("while 1 prompts were outstanding");
            assertThat(Thread.interrupted()).isTrue();
            only.cancel(true);
        }
    }

    @Test
    void shouldLetCallbacksSubmit(TestKafka kafka) {
        PromptClientOptions options = options(kafka).withMaxOutstanding(1);
        try (StubProcessor _ = StubProcessor.echo(kafka, options);
                PromptClient client = PromptClient.open(options)) {
            CompletableFuture<Answer> second = client.submit(Prompt.chat("a").build())
                    .thenCompose(first ->
                            client.submit(Prompt.chat(first.text() + "b").build()));
            assertThat(get(second).text()).isEqualTo("ab");
        }
    }

    @Test
    void shouldTakeTheFirstAnswerAndNoneThatIsNotItsOwn(TestKafka kafka) {
        PromptClientOptions options = options(kafka);
        try (StubProcessor _ = StubProcessor.start(kafka, options, prompt -> {
                    ProducerRecord<byte[], byte[]> foreign = StubProcessor.result(options, prompt, "foreign");
                    foreign.headers().remove(PromptClient.CORRELATION_HEADER);
                    ProducerRecord<byte[], byte[]> unknown = StubProcessor.result(options, prompt, "unknown");
                    unknown.headers().add(PromptClient.CORRELATION_HEADER, new byte[] {'?'});
                    ProducerRecord<byte[], byte[]> unreadable =
                            new ProducerRecord<>(options.topics().results(), 0, null, new byte[] {0});
                    return List.of(
                            foreign,
                            unknown,
                            unreadable,
                            StubProcessor.result(options, prompt, "first"),
                            StubProcessor.result(options, prompt, "again"));
                });
                PromptClient client = PromptClient.open(options);
                PromptClient other = PromptClient.open(options)) {
            // one request_id for all: each has its own answer nevertheless
            Prompt prompt = Prompt.chat("x").requestId("r").build();
            Prompt unnamed = Prompt.chat("x").build();
            assertThat(get(client.submit(unnamed)).requestId())
                    .isNotEqualTo(get(client.submit(unnamed)).requestId());
            assertThat(unnamed.request().getRequestId()).isNull();
            List<CompletableFuture<Answer>> answers =
                    List.of(client.submit(prompt), client.submit(prompt), other.submit(prompt));

            assertThat(answers)
                    .allSatisfy(answer -> assertThat(get(answer).text()).isEqualTo("first"));
            assertThat(get(client.submit(prompt)).text()).isEqualTo("first");
        }
    }

    @Test
    void shouldSeeCommittedAnswersOnly(TestKafka kafka) {
        PromptClientOptions options = options(kafka);
        try (var aborting = kafka.producer(Map.of("transactional.id", TestKafka.uniqueName("aborting")));
                StubProcessor _ = StubProcessor.start(kafka, options, prompt -> {
                    aborting.beginTransaction();
                    var _ = aborting.send(StubProcessor.result(options, prompt, "aborted"));
                    aborting.flush();
                    aborting.abortTransaction();
                    return List.of(StubProcessor.result(options, prompt, "committed"));
                });
                PromptClient client = PromptClient.open(options)) {
            aborting.initTransactions();
            assertThat(get(client.submit(Prompt.chat("x").build())).text()).isEqualTo("committed");
        }
    }

    @Test
    void shouldTimeOutAndTellTheProcessorWhen(TestKafka kafka) {
        PromptClientOptions options = options(kafka).withMaxOutstanding(1).withTimeout(Duration.ofMillis(300));
        Instant before = Instant.now();
        try (PromptClient client = PromptClient.open(options)) {
            assertThatThrownBy(() ->
                            get(client.submit(Prompt.chat("x").requestId("r-1").build())))
                    .isInstanceOf(PromptException.TimedOut.class)
                    .hasMessage("request_id=r-1: no answer within PT0.3S");
            Prompt patient = Prompt.chat("x").timeout(LONG).build();
            try (StubProcessor processor = StubProcessor.echo(kafka, options)) {
                // the first one's answer comes now, for nobody
                assertThat(get(client.submit(patient)).text()).isEqualTo("x");
                assertThat(processor.received())
                        .extracting(received -> received.request().getDeadline())
                        .satisfiesExactlyInAnyOrder(
                                first -> assertThat(first).isBetween(before, Instant.now()),
                                second -> assertThat(second)
                                        .isBetween(
                                                before.plus(LONG).minusMillis(1),
                                                Instant.now().plus(LONG)));
            }
        }
    }

    @Test
    void shouldReadPartitionsThatAreAddedLater(TestKafka kafka) throws Exception {
        PromptClientOptions options = options(kafka, Map.of("metadata.max.age.ms", "200"));
        String results = options.topics().results();
        try (StubProcessor _ = StubProcessor.start(kafka, options, prompt -> {
                    var reply = StubProcessor.result(options, prompt, "from the new one");
                    return List.of(new ProducerRecord<>(results, 2, reply.key(), reply.value(), reply.headers()));
                });
                PromptClient client = PromptClient.open(options)) {
            kafka.admin()
                    .createPartitions(Map.of(results, NewPartitions.increaseTo(3)))
                    .all()
                    .get();
            await().until(() -> kafka.partitions(results).size() == 3);

            assertThat(get(client.submit(Prompt.chat("x").build())).text()).isEqualTo("from the new one");
        }
    }

    @Test
    void shouldSpeakAvro(TestKafka kafka) {
        PromptClientOptions options = options(kafka, Map.of("schema.registry.url", "mock://prompt-client"));
        try (StubProcessor processor = StubProcessor.echo(kafka, options);
                PromptClient client = PromptClient.open(options)) {
            assertThat(get(client.submit(Prompt.chat("x").build())).text()).isEqualTo("x");
            assertThat(processor.received().getFirst().record().value()[0]).isZero();
        }
    }

    @Test
    void shouldSayWhichTopicIsMissing(TestKafka kafka) {
        PromptClientOptions options = options(kafka);
        Set<Thread> before = threads();
        Topics found = options.topics();
        List<Topics> each = List.of(
                new Topics("no-such-topic", found.results(), found.failures(), found.deadLetters()),
                new Topics(found.prompts(), "no-such-topic", found.failures(), found.deadLetters()),
                new Topics(found.prompts(), found.results(), found.failures(), "no-such-topic"));
        assertThat(each)
                .allSatisfy(
                        topics -> assertThatThrownBy(() -> PromptClient.open(options.withTopics(topics)))
                                .isInstanceOf(UnknownTopicOrPartitionException.class)
                                .hasMessage(
                                        "topic=no-such-topic, expected=a topic that exists; 'millrace topics create' makes them"));
        await().untilAsserted(() -> assertThat(threads()).isSubsetOf(before));
    }

    @Test
    void shouldSendWithoutWaitingForAnAnswer(TestKafka kafka) throws Exception {
        PromptClientOptions options = options(kafka, Map.of("max.request.size", "2000"));
        try (StubProcessor processor = StubProcessor.start(kafka, options, prompt -> List.of());
                PromptClient client = PromptClient.open(options)) {
            RecordMetadata sent = client.send(Prompt.chat("x").build()).get(LONG.toSeconds(), TimeUnit.SECONDS);
            assertThat(sent.topic()).isEqualTo(options.topics().prompts());
            assertThat(client.outstanding()).isZero();
            await().until(() -> processor.received().size() == 1);

            Prompt large = Prompt.chat("x".repeat(2000)).requestId("r-1").build();
            assertThat(client.send(large))
                    .failsWithin(LONG)
                    .withThrowableThat()
                    .withCauseInstanceOf(PromptException.NotSent.class)
                    .havingRootCause()
                    .isInstanceOf(RecordTooLargeException.class);
            assertThatThrownBy(() -> get(client.submit(large)))
                    .isInstanceOf(PromptException.NotSent.class)
                    .hasMessageStartingWith("request_id=r-1: not sent: The message is ")
                    .hasCauseInstanceOf(RecordTooLargeException.class);
            assertThat(client.outstanding()).isZero();
        }
    }

    @Test
    void shouldWaitForAnswersWhenClosed(TestKafka kafka) {
        PromptClientOptions options = options(kafka);
        List<String> seen = new ArrayList<>();
        CompletableFuture<Void> last;
        try (PromptClient client = PromptClient.open(options)) {
            last = client.submit(Prompt.chat("x").build()).thenAccept(answer -> seen.add(answer.text()));
            var _ = Thread.ofPlatform().start(() -> {
                try (StubProcessor _ = StubProcessor.echo(kafka, options)) {
                    last.join();
                }
            });
        }
        assertThat(seen).containsExactly("x");
    }

    @Test
    void shouldEndWhatIsOutstandingWhenClosedAtOnce(TestKafka kafka) throws Exception {
        Prompt prompt = Prompt.chat("x").requestId("r-1").build();
        PromptClient client = PromptClient.open(options(kafka).withMaxOutstanding(1));
        CompletableFuture<Answer> outstanding = client.submit(prompt);
        CompletableFuture<@Nullable Throwable> blocked = new CompletableFuture<>();
        Thread waiting = Thread.ofPlatform().start(() -> blocked.complete(catchThrowable(() -> client.submit(prompt))));
        await().until(() -> waiting.getState() == Thread.State.WAITING);

        client.close(Duration.ZERO);

        assertThatThrownBy(() -> get(outstanding))
                .isInstanceOf(PromptException.Closed.class)
                .hasMessage("request_id=r-1: the client was closed");
        assertThat(blocked.get(LONG.toSeconds(), TimeUnit.SECONDS))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the client is closed");
        assertThatThrownBy(() -> client.trySubmit(prompt))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the client is closed");
        assertThatThrownBy(() -> client.send(prompt)).isInstanceOf(IllegalStateException.class);
        client.close(); // again does nothing
    }

    @Test
    void shouldEndAllAtOnceWhenInterruptedWhileItCloses(TestKafka kafka) {
        Set<Thread> before = threads();
        PromptClient client = PromptClient.open(options(kafka));
        CompletableFuture<Answer> outstanding = client.submit(Prompt.chat("x").build());

        Thread.currentThread().interrupt();
        client.close();

        assertThat(Thread.interrupted()).isTrue();
        assertThatThrownBy(() -> get(outstanding)).isInstanceOf(PromptException.Closed.class);
        await().untilAsserted(() -> assertThat(threads()).isSubsetOf(before));
    }

    /** Those of all clients here. */
    private static Set<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("millrace-answers")
                        || thread.getName().startsWith("kafka-producer-network-thread"))
                .collect(Collectors.toSet());
    }

    @Test
    @SuppressWarnings("NullAway") // callers make mistakes
    void shouldKeepNoRoomForWhatIsNoPrompt(TestKafka kafka) {
        try (PromptClient client = PromptClient.open(options(kafka).withMaxOutstanding(1))) {
            assertThatThrownBy(() -> client.submit(null)).isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> client.trySubmit(null)).isInstanceOf(NullPointerException.class);
            assertThat(client.trySubmit(Prompt.chat("x").build()).map(answer -> answer.cancel(true)))
                    .contains(true);
        }
    }

    private static PromptClientOptions options(TestKafka kafka) {
        return options(kafka, Map.of());
    }

    static PromptClientOptions options(TestKafka kafka, Map<String, ?> properties) {
        Map<String, Object> all = new HashMap<>(properties);
        all.put("bootstrap.servers", kafka.bootstrapServers());
        Topics topics = new Topics(
                kafka.uniqueTopic("prompts", 2),
                kafka.uniqueTopic("results", 2),
                kafka.uniqueTopic("failures", 1),
                kafka.uniqueTopic("dead-letters", 1));
        return PromptClientOptions.of(all).withTopics(topics);
    }

    static Answer get(CompletableFuture<Answer> answer) {
        try {
            return answer.orTimeout(LONG.toSeconds(), TimeUnit.SECONDS).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof PromptException known) {
                throw known;
            }
            throw e;
        }
    }
}
