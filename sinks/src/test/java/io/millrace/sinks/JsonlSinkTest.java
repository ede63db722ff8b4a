package io.millrace.sinks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.WithKafka;
import io.millrace.schemas.serde.RegistryUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@WithKafka
class JsonlSinkTest {
    @TempDir
    Path directory;

    @Test
    void shouldWriteWhatIsCommittedAndEndThere(TestKafka kafka) {
        String topic = kafka.uniqueTopic("results", 3);
        try (KafkaProducer<byte[], byte[]> producer = kafka.producer(Map.of("transactional.id", topic))) {
            producer.initTransactions();
            for (int transaction = 0; transaction < 6; transaction++) {
                producer.beginTransaction();
                for (int i = 0; i < 10; i++) {
                    var _ = producer.send(record(topic, i % 3, transaction * 10 + i));
                }
                producer.flush();
                if (transaction % 3 == 2) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
        }
        kafka.awaitNoOpenTransaction(topic);

        assertThat(runToEnd(untilEnd(kafka, topic))).isEqualTo(40);
        assertThat(numbers())
                .containsExactlyInAnyOrderElementsOf(IntStream.concat(IntStream.range(0, 20), IntStream.range(30, 50))
                        .boxed()
                        .toList());
    }

    @Test
    void shouldGoOnWhereTheLastRunEndedEvenIfItsFilesWereMovedAway(TestKafka kafka) throws IOException {
        String topic = kafka.uniqueTopic("results", 2);
        produce(kafka, topic, 0, 50);
        assertThat(runToEnd(untilEnd(kafka, topic))).isEqualTo(50);
        assertThat(runToEnd(untilEnd(kafka, topic))).isZero();
        assertThat(numbers()).hasSize(50);
        for (SegmentName file : SinkFiles.finished(directory)) {
            Files.delete(directory.resolve(file.fileName()));
        }
        produce(kafka, topic, 50, 60);
        assertThat(runToEnd(untilEnd(kafka, topic))).isEqualTo(10);
        assertThat(numbers())
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(50, 60).boxed().toList());
    }

    @Test
    void shouldRollBySize(TestKafka kafka) throws IOException {
        String topic = kafka.uniqueTopic("results", 1);
        produce(kafka, topic, 0, 100);
        runToEnd(untilEnd(kafka, topic).withMaxBytes(1000));
        assertThat(SinkFiles.finished(directory)).hasSizeGreaterThan(10);
        for (SegmentName file : SinkFiles.finished(directory)) {
            assertThat(Files.size(directory.resolve(file.fileName()))).isLessThanOrEqualTo(1000);
        }
        assertThat(numbers()).hasSize(100);
    }

    @Test
    void shouldFollowAndRollByAgeUntilStopped(TestKafka kafka) throws Exception {
        String topic = kafka.uniqueTopic("results", 2);
        JsonlSinkOptions options =
                JsonlSinkOptions.of(directory, List.of(topic), client(kafka)).withMaxAge(Duration.ofMillis(300));
        try (JsonlSink sink = JsonlSink.open(options, ValueToJson.json())) {
            CompletableFuture<Long> run = CompletableFuture.supplyAsync(sink::run);
            produce(kafka, topic, 0, 5);
            Awaitility.await()
                    .atMost(TestKafka.TIMEOUT)
                    .untilAsserted(() -> assertThat(numbers()).hasSize(5));
            produce(kafka, topic, 5, 10);
            Awaitility.await()
                    .atMost(TestKafka.TIMEOUT)
                    .untilAsserted(() -> assertThat(numbers()).hasSize(10));
            sink.stop();
            assertThat(run.get(60, TimeUnit.SECONDS)).isEqualTo(10);
        }
    }

    @Test
    void shouldWriteSeveralTopicsIntoOneDirectory(TestKafka kafka) {
        String results = kafka.uniqueTopic("results", 1);
        String failures = kafka.uniqueTopic("failures", 1);
        produce(kafka, results, 0, 3);
        produce(kafka, failures, 3, 5);
        JsonlSinkOptions options = JsonlSinkOptions.of(directory, List.of(results, failures), client(kafka))
                .withEnd(JsonlSinkOptions.End.UNTIL_END);
        assertThat(runToEnd(options)).isEqualTo(5);
        assertThat(SinkFiles.finishedLines(directory))
                .extracting(line -> line.get("topic").asText())
                .containsExactly(failures, failures, results, results, results);
    }

    @Test
    void shouldWaitForTheRegistryAndThenLoseAndDoubleNothing(TestKafka kafka) {
        String topic = kafka.uniqueTopic("results", 2);
        produce(kafka, topic, 0, 20);
        AtomicInteger calls = new AtomicInteger();
        ValueToJson awayOnce = (record, value) -> {
            if (calls.incrementAndGet() == 7) {
                throw new RegistryUnavailableException("registry=http://127.0.0.1:1, expected=an answer");
            }
            return value;
        };
        try (JsonlSink sink = JsonlSink.open(untilEnd(kafka, topic), awayOnce)) {
            assertThat(sink.run()).isEqualTo(20);
        }
        assertThat(calls).hasValueGreaterThan(20);
        assertThat(numbers())
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, 20).boxed().toList());
    }

    @Test
    void shouldNameAMissingTopic(TestKafka kafka) {
        assertThatThrownBy(() -> runToEnd(untilEnd(kafka, "no-such-topic")))
                .isInstanceOf(SinkException.class)
                .hasMessage("topic=no-such-topic, expected=a topic of the cluster at bootstrap.servers="
                        + kafka.bootstrapServers());
    }

    @Test
    void shouldKeepASecondSinkOutOfTheDirectory(TestKafka kafka) {
        String topic = kafka.uniqueTopic("results", 1);
        try (JsonlSink first = JsonlSink.open(untilEnd(kafka, topic), ValueToJson.json())) {
            assertThatThrownBy(() -> JsonlSink.open(untilEnd(kafka, topic), ValueToJson.json()))
                    .isInstanceOf(SinkException.class)
                    .hasMessage("directory=" + directory + ", expected=a directory that no other sink uses: "
                            + directory.resolve("sink.lock") + " is locked");
            assertThat(first.run()).isZero();
        }
    }

    @Test
    void shouldNameADirectoryThatCannotBeWritten(TestKafka kafka) throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "in the way");
        JsonlSinkOptions options = JsonlSinkOptions.of(file.resolve("out"), List.of("t"), client(kafka));
        assertThatThrownBy(() -> JsonlSink.open(options, ValueToJson.json()))
                .isInstanceOf(SinkException.class)
                .hasMessageStartingWith(
                        "directory=" + file.resolve("out") + ", expected=a directory that can be written: ");
    }

    @Test
    void shouldRefuseATopicThatWasDeletedAndCreatedAgain(TestKafka kafka) throws Exception {
        String topic = kafka.uniqueTopic("results", 1);
        produce(kafka, topic, 0, 3);
        runToEnd(untilEnd(kafka, topic));
        String before = Files.readString(directory.resolve(topic + ".id"));
        kafka.admin().deleteTopics(List.of(topic)).all().get(60, TimeUnit.SECONDS);
        Awaitility.await()
                .atMost(TestKafka.TIMEOUT)
                .until(() -> !kafka.admin().listTopics().names().get().contains(topic));
        kafka.createTopic(topic, 1, Map.of());
        assertThatThrownBy(() -> runToEnd(untilEnd(kafka, topic)))
                .isInstanceOf(SinkException.class)
                .hasMessageContaining("expected=" + before + " as in " + directory.resolve(topic + ".id")
                        + ": the topic was deleted and created again; write it to a new directory");
    }

    @Test
    void shouldSayWhenRecordsWereDeletedBeforeItReadThem(TestKafka kafka) throws Exception {
        String topic = kafka.uniqueTopic("results", 1);
        produce(kafka, topic, 0, 3);
        runToEnd(untilEnd(kafka, topic));
        produce(kafka, topic, 3, 9);
        kafka.admin()
                .deleteRecords(Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(8)))
                .all()
                .get(60, TimeUnit.SECONDS);
        assertThatThrownBy(() -> runToEnd(untilEnd(kafka, topic)))
                .isInstanceOf(SinkException.class)
                .hasMessage(
                        "topic=" + topic + ", partition=0, position=3, expected=8 to 9: "
                                + "records were deleted before this sink read them; to go on without them, write to a new directory.");
    }

    @Test
    void shouldRejectOptionsOutOfRange() {
        JsonlSinkOptions options = JsonlSinkOptions.of(directory, List.of("t"), Map.of());
        assertThatThrownBy(() -> options.withMaxBytes(0)).hasMessage("max_bytes=0, expected=at least 1");
        assertThatThrownBy(() -> options.withMaxAge(Duration.ZERO)).hasMessage("max_age=PT0S, expected=more than zero");
        assertThatThrownBy(() -> JsonlSinkOptions.of(directory, List.of(), Map.of()))
                .hasMessage("topics=[], expected=one or more topics");
    }

    private JsonlSinkOptions untilEnd(TestKafka kafka, String topic) {
        return JsonlSinkOptions.of(directory, List.of(topic), client(kafka)).withEnd(JsonlSinkOptions.End.UNTIL_END);
    }

    private static Map<String, String> client(TestKafka kafka) {
        return Map.of("bootstrap.servers", kafka.bootstrapServers());
    }

    private static long runToEnd(JsonlSinkOptions options) {
        try (JsonlSink sink = JsonlSink.open(options, ValueToJson.json())) {
            return sink.run();
        }
    }

    private List<Integer> numbers() {
        return SinkFiles.finishedLines(directory).stream()
                .map(line -> line.get("value").get("n").asInt())
                .toList();
    }

    private static void produce(TestKafka kafka, String topic, int from, int to) {
        int partitions = kafka.partitions(topic).size();
        kafka.produce(IntStream.range(from, to)
                .mapToObj(n -> record(topic, n % partitions, n))
                .toList());
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, int partition, int n) {
        return new ProducerRecord<>(topic, partition, ("k" + n).getBytes(UTF_8), ("{\"n\":" + n + "}").getBytes(UTF_8));
    }
}
