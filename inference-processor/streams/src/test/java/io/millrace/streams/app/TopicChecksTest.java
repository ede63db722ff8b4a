package io.millrace.streams.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.streams.app.Finding.Severity;
import io.millrace.streams.config.ConfigException;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.control.ControlTopic;
import io.millrace.streams.pending.PendingStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each rule, on a cluster that is as it should be but for one thing. */
class TopicChecksTest {

    private static final String PROMPTS = "prompts";
    private static final String CHANGELOG = "app-pending-changelog";
    private static final String FENCE = "app-fence";
    private static final int PROMPT_BYTES = 1_048_588;

    private final Map<String, Object> kafka = new HashMap<>();
    private final Map<String, TopicDescription> topics = new HashMap<>();
    private final Map<String, Map<String, String>> settings = new HashMap<>();
    private final Map<String, String> broker = new HashMap<>(Map.of(
            "transaction.max.timeout.ms",
            "900000",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms",
            "1000"));
    private final Map<TopicPartition, Long> committed = new HashMap<>();
    private final Map<TopicPartition, Long> earliest = new HashMap<>();
    private final Map<TopicPartition, Long> latest = new HashMap<>();

    TopicChecksTest() {
        Topics.users(processor()).forEach(name -> topic(name, 4, 3));
        topic("control", 1, 3);
        settingsOf("control").putAll(ControlTopic.config());
        topic(CHANGELOG, 4, 3);
        settingsOf(CHANGELOG).putAll(PendingStore.changelogConfig(Topics.entryBytes(PROMPT_BYTES)));
        set("dead-letters", "max.message.bytes", Integer.toString(Topics.entryBytes(PROMPT_BYTES)));
        topic(FENCE, 1, 3);
        topic("__transaction_state", 50, 3);
        topic("__consumer_offsets", 50, 3);
    }

    @Test
    void shouldFindNothingWhereAllIsAsCreated() {
        assertThat(findings()).isEmpty();
    }

    @Test
    void shouldNameEachTopicThatIsMissingAsOneError() {
        topics.remove("results");
        topics.remove("control");
        Finding finding = only(Severity.ERROR);
        assertThat(finding.message())
                .isEqualTo("results, control: topic=absent, expected=exists. Remedy: millrace topics create, or name an"
                        + " existing topic under topics: in the configuration");
    }

    @Test
    void shouldRefuseAChangelogWithAnotherPartitionCount() {
        topic(CHANGELOG, 3, 3);
        settingsOf(CHANGELOG).putAll(PendingStore.changelogConfig(Topics.entryBytes(PROMPT_BYTES)));
        assertThat(only(Severity.ERROR).message())
                .isEqualTo("app-pending-changelog: partitions=3, expected=4 as topic prompts has. Remedy: stop every"
                        + " instance of application_id=app and run millrace topics grow --partitions 4, which needs an"
                        + " empty pending store; or use another application_id. The prompts topic was grown or created"
                        + " again");
    }

    @ParameterizedTest
    @CsvSource({
        "cleanup.policy, delete, ERROR, compact",
        "cleanup.policy, 'compact,delete', ERROR, compact",
        "delete.retention.ms, 60000, WARNING, at least 900000",
        "delete.retention.ms, 86400000, WARNING, at least 900000",
        "min.cleanable.dirty.ratio, 0.5, WARNING, at most 0.01",
        "segment.ms, 604800000, WARNING, at most 60000",
        "segment.bytes, 1073741824, WARNING, at most 8388608",
        "max.compaction.lag.ms, 9223372036854775807, WARNING, at most 60000",
        "message.timestamp.after.max.ms, 3600000, WARNING, at least 9223372036854775807",
        "max.message.bytes, 1048588, WARNING, at least 1114124"
    })
    void shouldHoldTheChangelogToItsSettings(String setting, String value, Severity severity, String expected) {
        set(CHANGELOG, setting, value);
        Finding finding = only(severity);
        assertThat(finding.topics()).containsExactly(CHANGELOG);
        assertThat(finding.setting()).isEqualTo(setting);
        assertThat(finding.is()).isEqualTo(value);
        assertThat(finding.expected()).isEqualTo(expected);
        assertThat(finding.remedy()).startsWith("millrace topics check --fix: ");
        assertThat(finding.fix()).contains(expected.replaceFirst("at (least|most) ", ""));
    }

    @ParameterizedTest
    @CsvSource({
        "delete.retention.ms, 3600000",
        "min.cleanable.dirty.ratio, 0.001",
        "segment.bytes, 1048576",
        "max.message.bytes, 10000000"
    })
    void shouldTakeAChangelogThatIsStricterThanAsked(String setting, String value) {
        set(CHANGELOG, setting, value);
        assertThat(findings()).isEmpty();
    }

    @Test
    void shouldSayThatPromptsAreLostWhereTheChangelogOfAGroupThatWorkedIsGone() {
        topics.remove(CHANGELOG);
        assertThat(only(Severity.NOTE).remedy()).startsWith("none needed");
        committed.put(new TopicPartition(PROMPTS, 0), 7L);
        assertThat(only(Severity.WARNING).remedy()).contains("prompts that were pending in it are lost");
    }

    @Test
    void shouldWarnOfPromptsThatRetentionTookUnread() {
        TopicPartition partition = new TopicPartition(PROMPTS, 2);
        committed.put(partition, 40L);
        earliest.put(partition, 40L);
        assertThat(findings()).isEmpty();
        earliest.put(partition, 100L);
        assertThat(only(Severity.WARNING).message())
                .isEqualTo("prompts-2: earliest offset=100, expected=at most 40, where group app is. Remedy: more"
                        + " instances, or a longer retention.ms: 60 prompts were deleted before they were read, and are"
                        + " lost");
    }

    @Test
    void shouldWarnOfPromptsThatAreCompacted() {
        set(PROMPTS, "cleanup.policy", "compact");
        assertThat(only(Severity.WARNING).remedy()).contains("drops all but the last prompt of a key");
        assertThat(only(Severity.WARNING).fix())
                .as("for the owner of the topic to decide")
                .isEmpty();
    }

    @Test
    void shouldWarnOfSmallDeadLettersAndRefuseOutputsThatNothingFits() {
        set("dead-letters", "max.message.bytes", "1048588");
        assertThat(only(Severity.WARNING).fix()).contains("1114124");
        set("dead-letters", "max.message.bytes", "1114124");
        set("metrics", "max.message.bytes", "4095");
        assertThat(only(Severity.ERROR).message())
                .startsWith("metrics: max.message.bytes=4095, expected=at least 4096");
    }

    @Test
    void shouldWarnOfAControlTopicThatForgets() {
        set("control", "cleanup.policy", "delete");
        assertThat(only(Severity.WARNING).fix()).contains(ControlTopic.config().get("cleanup.policy"));
    }

    @Test
    void shouldWarnOfAFenceThatIsUsedOrGrown() {
        topic(FENCE, 2, 3);
        assertThat(only(Severity.WARNING).setting()).isEqualTo("partitions");
        topic(FENCE, 1, 3);
        latest.put(new TopicPartition(FENCE, 0), 5L);
        earliest.put(new TopicPartition(FENCE, 0), 2L);
        assertThat(only(Severity.WARNING).message()).startsWith("app-fence: records=3, expected=0.");
    }

    @Test
    void shouldCompareCopiesWithMinInsyncReplicas() {
        set("results", "min.insync.replicas", "1");
        set("__transaction_state", "min.insync.replicas", "1");
        assertThat(only(Severity.WARNING).subject()).isEqualTo("results, __transaction_state");
        set("results", "min.insync.replicas", "3");
        set("__transaction_state", "min.insync.replicas", "2");
        assertThat(only(Severity.WARNING).message())
                .contains("min.insync.replicas=3, expected=less than its 3 replicas");
        topic("results", 4, 1);
        set("results", "min.insync.replicas", "1");
        assertThat(only(Severity.NOTE).setting()).isEqualTo("replicas");
    }

    @Test
    void shouldWarnOfUncleanElections() {
        set("results", "unclean.leader.election.enable", "true");
        assertThat(only(Severity.WARNING).expected()).isEqualTo("false");
    }

    @Test
    void shouldCompareTheBrokersTransactionTimeoutWithTheProducers() {
        broker.put("transaction.max.timeout.ms", "10000");
        assertThat(findings()).isEmpty();
        kafka.put("producer.transaction.timeout.ms", "30000");
        assertThat(only(Severity.ERROR).message())
                .startsWith("brokers: transaction.max.timeout.ms=10000, expected=at least 30000");
        broker.clear();
        assertThat(findings()).as("brokers whose settings may not be read").isEmpty();
    }

    @Test
    void shouldNoteThatTakeoverWaitsLong() {
        broker.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "10000");
        assertThat(only(Severity.NOTE).remedy()).contains("takeover waits");
    }

    @Test
    void shouldSayThatSettingsMayNotBeRead() {
        settings.remove("failures");
        assertThat(only(Severity.ERROR).message()).startsWith("failures: settings=not readable");
    }

    private Finding only(Severity severity) {
        List<Finding> findings = findings();
        assertThat(findings).hasSize(1);
        assertThat(findings.getFirst().severity()).isEqualTo(severity);
        return findings.getFirst();
    }

    private List<Finding> findings() {
        return Finding.merged(
                TopicChecks.of(processor(), new TopicSurvey(topics, settings, broker, committed, earliest, latest)));
    }

    private ProcessorSettings processor() {
        StringBuilder properties = new StringBuilder();
        kafka.forEach((name, value) ->
                properties.append("  ").append(name).append(": ").append(value).append('\n'));
        try {
            return ProcessorSettings.of(MillraceConfig.parse("test", """
                    application_id: app
                    topics:
                      prompts: prompts
                      results: results
                      failures: failures
                      metrics: metrics
                      dead_letters: dead-letters
                      engine_metrics: engine-metrics
                      control: control
                    kafka:
                      bootstrap.servers: "broker:9092"
                    """ + properties));
        } catch (ConfigException e) {
            throw new AssertionError(e);
        }
    }

    private void topic(String name, int partitions, int replicas) {
        List<Node> nodes = new ArrayList<>(Collections.nCopies(replicas, new Node(1, "host", 9092)));
        topics.put(
                name,
                new TopicDescription(
                        name,
                        false,
                        IntStream.range(0, partitions)
                                .mapToObj(i -> new TopicPartitionInfo(i, nodes.getFirst(), nodes, nodes))
                                .toList()));
        settings.put(
                name,
                new HashMap<>(Map.of(
                        "cleanup.policy",
                        "delete",
                        "max.message.bytes",
                        Integer.toString(PROMPT_BYTES),
                        "min.insync.replicas",
                        "2",
                        "unclean.leader.election.enable",
                        "false")));
    }

    private void set(String topic, String setting, String value) {
        settingsOf(topic).put(setting, value);
    }

    private Map<String, String> settingsOf(String topic) {
        return Objects.requireNonNull(settings.get(topic));
    }
}
