package io.millrace.streams.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.ControlScope;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.schemas.serde.RegistryUnavailableException;
import io.millrace.streams.records.PromptIdentity;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What the reader does with records and outages, on a consumer without a broker. */
class ControlReaderTest {

    private static final String TOPIC = "control";
    private static final TopicPartition FIRST = new TopicPartition(TOPIC, 0);
    private static final TopicPartition SECOND = new TopicPartition(TOPIC, 1);
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final PromptIdentity PROMPT =
            new PromptIdentity("request-1", "model", "generate", "tenant-1", "job-1", Map.of());

    private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
    private final Controls controls = new Controls();
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(ControlReader.class);

    @BeforeEach
    void listen() {
        logged.start();
        logger.addAppender(logged);
        Node node = new Node(1, "none", 1);
        consumer.updatePartitions(
                TOPIC,
                List.of(
                        new PartitionInfo(TOPIC, 0, node, new Node[0], new Node[0]),
                        new PartitionInfo(TOPIC, 1, node, new Node[0], new Node[0])));
        consumer.updateBeginningOffsets(Map.of(FIRST, 0L, SECOND, 0L));
    }

    @AfterEach
    void silence() {
        logger.detachAppender(logged);
    }

    @Test
    void shouldHoldAllThatIsInTheTopicBeforeItIsCaughtUp() throws Exception {
        consumer.updateEndOffsets(Map.of(FIRST, 1L, SECOND, 1L));
        consumer.schedulePollTask(() -> add(FIRST, 0, pause(ControlScope.JOB)));
        try (ControlReader reader = reader(json())) {
            await().atMost(TIMEOUT).until(() -> heard.size() == 1);
            assertThat(reader.awaitCaughtUp(Duration.ZERO)).isFalse();

            consumer.schedulePollTask(() -> add(SECOND, 0, pause(ControlScope.TENANT)));

            assertThat(reader.awaitCaughtUp(TIMEOUT)).isTrue();
            assertThat(heard).containsExactly("PAUSE job-1", "PAUSE tenant-1");
            assertThat(reader.trouble()).isEmpty();
        }
        assertThat(consumer.closed()).isTrue();
    }

    @Test
    void shouldFollowTheTopic() throws Exception {
        consumer.updateEndOffsets(Map.of(FIRST, 0L, SECOND, 0L));
        try (ControlReader reader = reader(json())) {
            assertThat(reader.awaitCaughtUp(TIMEOUT)).isTrue();

            consumer.schedulePollTask(() -> add(FIRST, 0, pause(ControlScope.JOB)));
            await().atMost(TIMEOUT).until(() -> heard.contains("PAUSE job-1"));
            assertThat(controls.verdict(PROMPT, 1)).isInstanceOf(Verdict.Paused.class);

            consumer.schedulePollTask(() -> addBytes(FIRST, 1, "job:job-1:pause", null));
            await().atMost(TIMEOUT).until(() -> heard.contains("forgotten"));
            assertThat(controls.verdict(PROMPT, 1)).isEqualTo(Verdict.PROCEED);
        }
    }

    @Test
    void shouldSkipWhatMakesNoCommandAndSayWhereItStands() throws Exception {
        consumer.updateEndOffsets(Map.of(FIRST, 5L, SECOND, 0L));
        consumer.schedulePollTask(() -> {
            addBytes(FIRST, 0, "k", new byte[] {(byte) 0xFF, 0, 1});
            addBytes(
                    FIRST,
                    1,
                    "k",
                    utf8("{\"command_id\":\"c\",\"action\":\"CANCEL\",\"scope\":\"JOB\",\"issued_at\":1}"));
            addBytes(
                    FIRST,
                    2,
                    "k",
                    utf8(
                            "{\"command_id\":\"c\",\"action\":\"EXPLODE\",\"scope\":\"JOB\",\"target\":\"job-1\",\"issued_at\":1}"));
            addBytes(
                    FIRST,
                    3,
                    "k",
                    utf8(
                            "{\"command_id\":\"c\",\"action\":\"CANCEL\",\"scope\":\"JOB\",\"target\":\"\",\"issued_at\":1}"));
            add(FIRST, 4, pause(ControlScope.JOB));
        });
        try (ControlReader reader = reader(json())) {
            assertThat(reader.awaitCaughtUp(TIMEOUT)).isTrue();
        }

        assertThat(heard).containsExactly("skipped", "skipped", "skipped", "skipped", "PAUSE job-1");
        List<String> warnings = warnings();
        assertThat(warnings).hasSize(4);
        assertThat(warnings.get(0)).startsWith("control record control-0-0 skipped: ");
        assertThat(warnings.get(1)).isEqualTo("control record control-0-1 skipped: target=absent, expected=a string");
        assertThat(warnings.get(2)).startsWith("control record control-0-2 skipped: action=");
        assertThat(warnings.get(3))
                .isEqualTo("control record control-0-3 skipped: target= of 0 characters, expected=1 to 512");
    }

    @Test
    void shouldGoOnAfterAnOutageAndWarnOnce() throws Exception {
        consumer.updateEndOffsets(Map.of(FIRST, 1L, SECOND, 0L));
        consumer.schedulePollTask(() -> consumer.setPollException(new KafkaException("no broker")));
        consumer.schedulePollTask(() -> consumer.setPollException(new KafkaException("no broker either")));
        consumer.schedulePollTask(() -> add(FIRST, 0, pause(ControlScope.JOB)));
        try (ControlReader reader = reader(json())) {
            assertThat(reader.awaitCaughtUp(TIMEOUT)).isTrue();
        }

        assertThat(heard).containsExactly("PAUSE job-1");
        assertThat(warnings())
                .containsExactly("control topic control: cannot read, tried again until it works: "
                        + "org.apache.kafka.common.KafkaException: no broker");
    }

    @Test
    void shouldNotSkipACommandWhileTheRegistryIsDown() throws Exception {
        consumer.updateEndOffsets(Map.of(FIRST, 1L, SECOND, 0L));
        consumer.schedulePollTask(() -> add(FIRST, 0, pause(ControlScope.JOB)));
        AtomicInteger attempts = new AtomicInteger();
        Deserializer<ControlCommand> json = json();
        Deserializer<ControlCommand> downAtFirst = (topic, data) -> {
            if (attempts.incrementAndGet() <= 2) {
                throw new RegistryUnavailableException("no registry");
            }
            return json.deserialize(topic, data);
        };
        try (ControlReader reader = reader(downAtFirst)) {
            assertThat(reader.awaitCaughtUp(TIMEOUT)).isTrue();
        }

        assertThat(heard).containsExactly("PAUSE job-1");
        assertThat(attempts).hasValue(3);
    }

    @Test
    void shouldSayWhatItWaitsForWhereTheTopicIsMissing() {
        MockConsumer<byte[], byte[]> empty = new MockConsumer<>("earliest");
        try (ControlReader reader = new ControlReader(empty, "nowhere", json(), controls, listener())) {
            reader.start();
            await().atMost(TIMEOUT).until(() -> reader.trouble().isPresent());
            assertThat(reader.trouble().orElseThrow()).contains("cannot look up: ");
        }
        assertThat(empty.closed()).isTrue();
    }

    private ControlReader reader(Deserializer<ControlCommand> deserializer) {
        ControlReader reader = new ControlReader(consumer, TOPIC, deserializer, controls, listener());
        reader.start();
        return reader;
    }

    private ControlReader.Listener listener() {
        return new ControlReader.Listener() {
            @Override
            public void applied(ControlCommand command) {
                heard.add(command.getAction() + " " + command.getTarget());
            }

            @Override
            public void forgotten() {
                heard.add("forgotten");
            }

            @Override
            public void skipped() {
                heard.add("skipped");
            }
        };
    }

    private List<String> warnings() {
        return logged.list.stream()
                .filter(event -> event.getLevel() == Level.WARN)
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    private void add(TopicPartition partition, long offset, ControlCommand command) {
        byte[] value = RecordSerdes.serializer(ControlCommand.class, Map.of()).serialize(TOPIC, command);
        addBytes(partition, offset, ControlTopic.key(command), value);
    }

    private void addBytes(TopicPartition partition, long offset, String key, byte @Nullable [] value) {
        consumer.addRecord(new ConsumerRecord<>(TOPIC, partition.partition(), offset, utf8(key), value));
    }

    private static ControlCommand pause(ControlScope scope) {
        return ControlsTest.command(ControlAction.PAUSE, scope, 1000);
    }

    private static Deserializer<ControlCommand> json() {
        return RecordSerdes.deserializer(ControlCommand.class, Map.of());
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
