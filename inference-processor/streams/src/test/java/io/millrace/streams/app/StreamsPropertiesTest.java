package io.millrace.streams.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.Ordering;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.records.OutputTopics;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StreamsPropertiesTest {

    private static final UUID PROCESS = new UUID(1, 2);

    @Test
    void shouldSetWhatExactlyOnceAndLatencyStandOn() {
        Properties properties = StreamsProperties.of(settings(Map.of()), PROCESS, 2_000_000, 1_000_000);

        assertThat(properties)
                .containsEntry("processing.guarantee", "exactly_once_v2")
                .containsEntry("group.protocol", "classic")
                .containsEntry("commit.interval.ms", 100)
                .containsEntry("poll.ms", 1)
                .containsEntry("num.stream.threads", 1)
                .containsEntry("producer.linger.ms", 5)
                .containsEntry("producer.transaction.timeout.ms", 10_000)
                .containsEntry("producer.max.request.size", 2_000_000)
                .containsEntry("producer.batch.size", 16_384)
                .containsEntry("buffered.records.per.partition", 32)
                .containsEntry("main.consumer.max.poll.records", 64)
                .containsEntry("main.consumer.max.poll.interval.ms", 15_000)
                .containsEntry("main.consumer.session.timeout.ms", 10_000)
                .containsEntry("statestore.cache.max.bytes", 0)
                .containsEntry("num.standby.replicas", 0)
                .containsEntry("acceptable.recovery.lag", Long.MAX_VALUE);
    }

    @Test
    void shouldNotBatchMoreThanTheSmallestTopicTakes() {
        assertThat(StreamsProperties.of(settings(Map.of()), PROCESS, 2_000_000, 5_000))
                .containsEntry("producer.batch.size", 5_000);
    }

    @Test
    void shouldBufferTwoOfTheLargestRecords() {
        assertThat(StreamsProperties.of(settings(Map.of()), PROCESS, 100_000_000, 5_000))
                .containsEntry("producer.buffer.memory", 200_000_000L);
    }

    @Test
    void shouldPutTheUsersPropertiesOnTop() {
        Properties properties = StreamsProperties.of(
                settings(
                        Map.of("commit.interval.ms", "50", "main.consumer.max.poll.records", "7", "client.id", "mine")),
                PROCESS,
                1,
                1);

        assertThat(properties)
                .containsEntry("client.id", "mine-" + PROCESS)
                .containsEntry("commit.interval.ms", "50")
                .containsEntry("main.consumer.max.poll.records", "7");
    }

    @Test
    void shouldLetAUsersPropertyWithoutPrefixReplaceOursWithOne() {
        Properties properties = StreamsProperties.of(settings(Map.of("linger.ms", "7")), PROCESS, 1, 1);

        assertThat(properties).containsEntry("linger.ms", "7").doesNotContainKey("producer.linger.ms");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            processing.guarantee | at_least_once | kafka.processing.guarantee=at_least_once, expected=exactly_once_v2: every prompt is answered exactly once
            group.protocol | streams | kafka.group.protocol=streams, expected=classic: the streams protocol bypasses the gate and the fence
            num.standby.replicas | 1 | kafka.num.standby.replicas=1, expected=0: a paused standby can miss expired tombstones, and takeover would wait for it
            producer.acks | 1 | kafka.producer.acks=1, expected=all: every prompt is answered exactly once
            application.id | x | kafka.application.id=x, expected=absent: it is set by application_id
            """)
    void shouldRefuseWhatWouldBreakIt(String name, String value, String message) {
        assertThatThrownBy(() -> StreamsProperties.of(settings(Map.of(name, value)), PROCESS, 1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void shouldTakeAGuardedPropertyWithItsOnlyValue() {
        assertThat(StreamsProperties.of(settings(Map.of("processing.guarantee", "exactly_once_v2")), PROCESS, 1, 1))
                .containsEntry("processing.guarantee", "exactly_once_v2");
    }

    @Test
    void shouldTakeItsSettingsFromTheConfigurationFile() throws Exception {
        MillraceConfig config = MillraceConfig.parse("test.yaml", """
                application_id: mill
                kafka: {bootstrap.servers: "broker:9092", linger.ms: 3}
                topics: {prompts: in, results: out, replication_factor: 3}
                processor: {max_pending: 99, intake_threads: 5, num_stream_threads: 4}
                """);

        ProcessorSettings settings = ProcessorSettings.of(config);

        assertThat(settings.applicationId()).isEqualTo("mill");
        assertThat(settings.promptsTopic()).isEqualTo("in");
        assertThat(settings.outputs().results()).isEqualTo("out");
        assertThat(settings.outputs().deadLetters()).isEqualTo("millrace.dead-letters");
        assertThat(settings.gate().maxPending()).isEqualTo(99);
        assertThat(settings.intakeThreads()).isEqualTo(5);
        assertThat(settings.streamThreads()).isEqualTo(4);
        assertThat(settings.replicationFactor()).isEqualTo((short) 3);
        assertThat(settings.defaultModel()).isEqualTo(config.defaultModel());
        assertThat(StreamsProperties.of(settings, PROCESS, 1, 1))
                .containsEntry("bootstrap.servers", "broker:9092")
                .containsEntry("linger.ms", "3")
                .containsEntry("replication.factor", 3);
    }

    private static ProcessorSettings settings(Map<String, Object> kafka) {
        return new ProcessorSettings(
                "app",
                "instance",
                "prompts",
                new OutputTopics("r", "f", "m", "d"),
                "em",
                "control",
                kafka,
                new GateLimits(1, 1, 1),
                1,
                1,
                (short) 1,
                "model",
                Duration.ofSeconds(15),
                Duration.ofSeconds(60),
                Ordering.NONE,
                Optional.empty());
    }
}
