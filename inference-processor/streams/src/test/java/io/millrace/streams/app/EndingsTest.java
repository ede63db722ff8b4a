package io.millrace.streams.app;

import static io.millrace.streams.testing.TestApp.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.MatrixRow;
import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.devstack.oracle.Verdict;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceResult;
import io.millrace.streams.testing.TestApp;
import io.millrace.streams.testing.TestEngine;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;

/** What each kind of input gets, on a real broker. */
@WithKafka
class EndingsTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @Test
    @MatrixRow("corrupt Avro, oversized prompt, timestamp -1, null key")
    void shouldEndEachKindOfInputWhereItBelongs(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "endings", 1);
        List<ProducerRecord<byte[], byte[]>> inputs = List.of(
                test.record(0, json("0 good")),
                test.record(0, "1 not JSON"),
                test.record(0, "{\"request_id\":\"2 no input\"}"),
                test.record(0, "{\"prompt\":\"3\",\"operation\":\"sing\"}"),
                test.record(0, "{\"prompt\":\"4\",\"top_p\":7}"),
                test.record(0, "{\"prompt\":\"5\",\"model\":\"gpt\"}"),
                test.record(0, json("fail")),
                withoutKey(test, json("7 no key")),
                withoutTimestamp(test, json("8 no timestamp")),
                new ProducerRecord<>(test.prompts(), 0, new byte[] {9}, null),
                test.record(0, "{\"prompt\":\"10\",\"unheard_of\":1}"),
                test.record(0, json("11 good")));
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            kafka.produce(inputs);
            sendCompressed(test, json("x".repeat(3_000_000)));
            awaitEndings(test, inputs.size() + 1);
            assertThat(app.close(TIMEOUT)).isTrue();
        }

        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(texts(verdict.results())).containsExactly("0 good", "7 no key", "8 no timestamp", "11 good");
        assertThat(verdict.deadLetters()).isEqualTo(1);
        assertThat(codes(verdict.failures()))
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        2L, FailureCode.INVALID_REQUEST,
                        3L, FailureCode.INVALID_REQUEST,
                        4L, FailureCode.INVALID_REQUEST,
                        5L, FailureCode.MODEL_NOT_FOUND,
                        6L, FailureCode.ENGINE_ERROR,
                        9L, FailureCode.INVALID_REQUEST,
                        10L, FailureCode.INVALID_REQUEST,
                        12L, FailureCode.PROMPT_TOO_LARGE));
        InferenceResult late = verdict.results().get(2);
        assertThat(late.getSource().getTimestamp().toEpochMilli())
                .as("admission stands in for the timestamp")
                .isPositive();
    }

    /** Sizes around the limit: what the program lets through the broker takes, or the transaction would never end. */
    @Test
    @MatrixRow("result too large")
    void shouldFailAResultThatTheBrokerWouldNotTakeAndNoOther(TestKafka kafka) throws Exception {
        int limit = 20_000;
        TestApp test = TestApp.create(kafka, "results", 2);
        setMaxMessageBytes(kafka, test.outputs().results(), limit);
        List<String> texts = new ArrayList<>(List.of("big:1", "big:900000"));
        for (int size = limit - 900; size <= limit + 50; size += 25) {
            texts.add("big:" + size);
        }
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            test.send(texts);
            awaitEndings(test, texts.size());
            assertThat(app.status().state()).isEqualTo(ProcessorStatus.State.RUNNING);
            assertThat(app.close(TIMEOUT)).isTrue();
        }

        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(verdict.results().size()).isGreaterThan(5);
        assertThat(verdict.failures().size()).isGreaterThan(5);
        assertThat(verdict.failures()).allSatisfy(failure -> {
            assertThat(failure.getCode()).isEqualTo(FailureCode.RESULT_TOO_LARGE);
            assertThat(failure.getMessage()).contains("expected=at most 20000 bytes");
        });
        int longestAnswer = verdict.results().stream()
                .mapToInt(result -> result.getText().length())
                .max()
                .orElseThrow();
        assertThat(longestAnswer).as("the estimate is not far off").isGreaterThan(limit - 900);
    }

    /** A new thread would die of the same record again and again; a new start reads what the topic takes now. */
    @Test
    void shouldStopWhenATopicTakesLessThanItDidAndGoOnWhenStartedAgain(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "shrunk", 1);
        try (TestEngine engine = TestEngine.immediate()) {
            ProcessorApp first = test.start(engine);
            assertThat(first.awaitRunning(TIMEOUT)).isTrue();
            setMaxMessageBytes(kafka, test.outputs().results(), 20_000);
            test.send(List.of("big:50000", "small"));

            assertThat(first.stopped().get(TIMEOUT.toSeconds(), TimeUnit.SECONDS))
                    .isEqualTo(ProcessorStatus.State.FAILED);
            assertThat(first.status().isLive()).isFalse();
            first.close();
            assertThat(test.committed(test.outputs().results())).isZero();

            ProcessorApp second = test.start(engine);
            awaitEndings(test, 2);
            assertThat(second.close(TIMEOUT)).isTrue();
        }

        Verdict verdict = test.oracle().check();
        verdict.assertExactlyOnce();
        assertThat(codes(verdict.failures())).containsExactly(Map.entry(0L, FailureCode.RESULT_TOO_LARGE));
    }

    @Test
    @MatrixRow("corrupt Avro, oversized prompt, timestamp -1, null key")
    void shouldSpeakAvroThroughARegistry(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "avro", 1).with("schema.registry.url", "mock://endings-test");
        Map<String, Object> registry = Map.of("schema.registry.url", "mock://endings-test");
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(avroPrompt(test, registry, "hello"), test.record(0, json("no Avro"))));
            awaitEndings(test, 2);
            assertThat(app.close(TIMEOUT)).isTrue();
        }

        Verdict verdict = test.oracle(registry).check();
        verdict.assertExactlyOnce();
        assertThat(texts(verdict.results())).containsExactly("hello");
        assertThat(verdict.deadLetters()).isEqualTo(1);
    }

    @Test
    @MatrixRow("registry down for a minute")
    void shouldKeepPromptsPendingWhileTheRegistryIsDown(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "outage", 1).with("schema.registry.url", "http://127.0.0.1:1");
        Map<String, Object> registry = Map.of("schema.registry.url", "mock://outage-test");
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(avroPrompt(test, registry, "hello")));
            await().atMost(TIMEOUT).until(() -> !app.status().closures().isEmpty());
            assertThat(app.status().pending()).isEqualTo(1);
            assertThat(app.status().isReady()).isFalse();
            assertThat(app.status().isLive()).isTrue();
            assertThat(app.close(Duration.ZERO)).isFalse();
        }
        assertThat(test.committed(test.outputs().deadLetters())).isZero();
        assertThat(test.committed(test.outputs().failures())).isZero();

        test.with("schema.registry.url", "mock://outage-test");
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            awaitEndings(test, 1);
            assertThat(app.close(TIMEOUT)).isTrue();
        }
        test.oracle(registry).check().assertExactlyOnce();
    }

    @Test
    void shouldNotStartWithoutTopicsNamingThem(TestKafka kafka) {
        TestApp test = TestApp.existing(kafka.bootstrapServers(), TestKafka.uniqueName("nothing"));
        try (TestEngine engine = TestEngine.immediate()) {
            assertThatThrownBy(() -> test.start(engine))
                    .isInstanceOf(StartException.class)
                    .hasMessage(test.prompts()
                            + " and 6 others: topic=absent, expected=exists. Remedy: millrace topics create, or name an"
                            + " existing topic under topics: in the configuration");
        }
    }

    @Test
    void shouldNotStartOnInputThatWasGrownNamingTheRemedy(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "grown", 2);
        try (TestEngine engine = TestEngine.immediate()) {
            ProcessorApp app = test.start(engine);
            assertThat(app.awaitRunning(TIMEOUT)).isTrue();
            app.close();
            kafka.admin()
                    .createPartitions(Map.of(test.prompts(), NewPartitions.increaseTo(3)))
                    .all()
                    .get();
            await().atMost(TIMEOUT).until(() -> kafka.partitions(test.prompts()).size() == 3);

            assertThatThrownBy(() -> test.start(engine))
                    .isInstanceOf(StartException.class)
                    .hasMessage(
                            test.applicationId() + "-pending-changelog: partitions=2, expected=3 as topic "
                                    + test.prompts() + " has. Remedy: stop every instance of application_id="
                                    + test.applicationId()
                                    + " and run millrace topics grow --partitions 3, which needs an empty"
                                    + " pending store; or use another application_id. The prompts topic was grown or created again");
        }
    }

    @Test
    void shouldNotStartOnAChangelogThatForgetsPrompts(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "forgetful", 1);
        String changelog = test.applicationId() + "-pending-changelog";
        set(kafka, changelog, "cleanup.policy", "delete");
        try (TestEngine engine = TestEngine.immediate()) {
            assertThatThrownBy(() -> test.start(engine))
                    .isInstanceOf(StartException.class)
                    .hasMessage(changelog + ": cleanup.policy=delete, expected=compact. Remedy: millrace topics check"
                            + " --fix: otherwise prompts that nobody has answered yet are deleted");
        }
    }

    /** The changelog keeps the prompt's timestamp, which Kafka's default would refuse, an hour ahead and more. */
    @Test
    void shouldAnswerPromptsFromAClockThatIsAhead(TestKafka kafka) throws Exception {
        TestApp test = TestApp.create(kafka, "ahead", 1);
        set(kafka, test.prompts(), "message.timestamp.after.max.ms", Long.toString(Long.MAX_VALUE));
        long inTwoDays = System.currentTimeMillis() + Duration.ofDays(2).toMillis();
        try (TestEngine engine = TestEngine.immediate();
                ProcessorApp app = test.start(engine)) {
            kafka.produce(List.of(new ProducerRecord<>(
                    test.prompts(), 0, inTwoDays, null, json("early").getBytes(StandardCharsets.UTF_8))));
            awaitEndings(test, 1);
            assertThat(app.close(TIMEOUT)).isTrue();
        }
        test.oracle().check().assertExactlyOnce();
    }

    private static ProducerRecord<byte[], byte[]> avroPrompt(TestApp test, Map<String, Object> registry, String text) {
        var serializer =
                io.millrace.schemas.serde.RecordSerdes.serializer(io.millrace.schemas.PromptRequest.class, registry);
        byte[] value = serializer.serialize(
                test.prompts(),
                io.millrace.schemas.PromptRequest.newBuilder().setPrompt(text).build());
        return new ProducerRecord<>(test.prompts(), 0, null, value);
    }

    private static ProducerRecord<byte[], byte[]> withoutKey(TestApp test, String value) {
        return new ProducerRecord<>(test.prompts(), 0, null, value.getBytes(StandardCharsets.UTF_8));
    }

    /** Kafka's producer refuses -1 in its constructor and writes it all the same. */
    private static ProducerRecord<byte[], byte[]> withoutTimestamp(TestApp test, String value) {
        return new ProducerRecord<>(test.prompts(), 0, null, value.getBytes(StandardCharsets.UTF_8)) {
            @Override
            public Long timestamp() {
                return -1L;
            }
        };
    }

    /** The broker checks compressed sizes, so a prompt may be larger than the store takes. */
    private static void sendCompressed(TestApp test, String value) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer =
                test.kafka().producer(Map.of("compression.type", "gzip", "max.request.size", 10_000_000))) {
            producer.send(test.record(0, value)).get();
        }
    }

    private static void setMaxMessageBytes(TestKafka kafka, String topic, int bytes) throws Exception {
        set(kafka, topic, "max.message.bytes", Integer.toString(bytes));
    }

    private static void set(TestKafka kafka, String topic, String setting, String value) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Collection<AlterConfigOp> change =
                List.of(new AlterConfigOp(new ConfigEntry(setting, value), AlterConfigOp.OpType.SET));
        kafka.admin().incrementalAlterConfigs(Map.of(resource, change)).all().get();
        // brokers learn of it a moment later
        await().atMost(TIMEOUT)
                .until(() -> kafka.admin().describeConfigs(List.of(resource)).all().get().values().stream()
                        .allMatch(config -> value.equals(config.get(setting).value())));
    }

    private static void awaitEndings(TestApp test, int count) {
        await().atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> test.committed(test.outputs().results())
                                + test.committed(test.outputs().failures())
                                + test.committed(test.outputs().deadLetters())
                        == count);
    }

    private static List<String> texts(List<InferenceResult> results) {
        return results.stream()
                .sorted(Comparator.comparingLong(result -> result.getSource().getOffset()))
                .map(InferenceResult::getText)
                .toList();
    }

    private static Map<Long, FailureCode> codes(List<InferenceFailure> failures) {
        return failures.stream()
                .collect(Collectors.toMap(failure -> failure.getSource().getOffset(), InferenceFailure::getCode));
    }
}
