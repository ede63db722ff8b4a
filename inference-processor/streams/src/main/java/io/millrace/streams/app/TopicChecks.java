package io.millrace.streams.app;

import io.millrace.streams.app.Finding.Severity;
import io.millrace.streams.control.ControlTopic;
import io.millrace.streams.gate.FencedProducer;
import io.millrace.streams.records.Sink;
import io.millrace.streams.records.SizeLimits;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;

/**
 * What must hold of topics and brokers, as rules over what was seen of them. An error is what would lose or double answers,
 * or end in a crash that explains less; what is merely unwise is a warning.
 */
final class TopicChecks {

    private static final String BROKERS = "brokers";
    private static final String CREATE =
            "millrace topics create, or name an existing topic under topics: in the configuration";
    private static final String FIX = "millrace topics check --fix: ";
    private static final String KAFKA_CONFIGS = "kafka-configs.sh --alter --entity-type topics --add-config ";

    /** Longest that a takeover after a kill should wait for the broker to look for transactions to abort, ms. */
    private static final long LONG_CLEANUP_MS = 2_000;

    /** Tombstones that live this many times longer than asked for make restores slow. */
    private static final long TOO_LONG = 4;

    /** Why a changelog has its settings, and so what to do where it has not. */
    private static final Map<String, String> WHY = Map.of(
            TopicConfig.CLEANUP_POLICY_CONFIG,
            "otherwise prompts that nobody has answered yet are deleted",
            TopicConfig.DELETE_RETENTION_MS_CONFIG,
            "a restore that takes longer would bring answered prompts back; far more makes restores slow",
            TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG,
            "otherwise a restore reads what was answered long ago",
            TopicConfig.SEGMENT_MS_CONFIG,
            "an open segment is not compacted, and restores read it",
            TopicConfig.SEGMENT_BYTES_CONFIG,
            "an open segment is not compacted, and restores read it",
            TopicConfig.MAX_COMPACTION_LAG_MS_CONFIG,
            "otherwise a restore reads what was answered long ago",
            TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
            "prompts that the prompts topic takes would be failures, PROMPT_TOO_LARGE",
            TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG,
            "a prompt from a clock that is ahead would stop the application");

    private static final Set<String> AT_LEAST = Set.of(
            TopicConfig.DELETE_RETENTION_MS_CONFIG,
            TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
            TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG,
            TopicConfig.RETENTION_MS_CONFIG);

    private static final Set<String> AT_MOST = Set.of(
            TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG,
            TopicConfig.SEGMENT_MS_CONFIG,
            TopicConfig.SEGMENT_BYTES_CONFIG,
            TopicConfig.MAX_COMPACTION_LAG_MS_CONFIG);

    private final ProcessorSettings settings;
    private final TopicSurvey survey;
    private final String prompts;
    private final List<Finding> findings = new ArrayList<>();

    private TopicChecks(ProcessorSettings settings, TopicSurvey survey) {
        this.settings = settings;
        this.survey = survey;
        this.prompts = settings.promptsTopic();
    }

    /** All findings, in the order of the checks. */
    static List<Finding> of(ProcessorSettings settings, TopicSurvey survey) {
        TopicChecks checks = new TopicChecks(settings, survey);
        checks.users();
        if (survey.topic(checks.prompts).isPresent()) {
            checks.prompts();
            settings.changelogs().forEach(checks::changelog);
        }
        checks.sizes();
        checks.control();
        checks.fence();
        checks.durability();
        checks.brokers();
        return List.copyOf(checks.findings);
    }

    private void users() {
        for (String name : Topics.users(settings)) {
            if (survey.topic(name).isEmpty()) {
                add(Severity.ERROR, name, "topic", "absent", "exists", CREATE);
            } else if (!survey.settings().containsKey(name)) {
                add(
                        Severity.ERROR,
                        name,
                        "settings",
                        "not readable",
                        "readable",
                        "grant DescribeConfigs on the topic to this client: sizes are checked against its max.message.bytes");
            }
        }
    }

    private void prompts() {
        survey.setting(prompts, TopicConfig.CLEANUP_POLICY_CONFIG)
                .filter(policy -> policies(policy).contains(TopicConfig.CLEANUP_POLICY_COMPACT))
                .ifPresent(
                        policy -> add(
                                Severity.WARNING,
                                prompts,
                                TopicConfig.CLEANUP_POLICY_CONFIG,
                                policy,
                                TopicConfig.CLEANUP_POLICY_DELETE,
                                KAFKA_CONFIGS
                                        + "cleanup.policy=delete: compaction drops all but the last prompt of a key, read or not"));
        survey.earliest().forEach(this::notDeletedUnread);
    }

    /** Retention knows nothing of who has read what. */
    private void notDeletedUnread(TopicPartition partition, long earliest) {
        long committed = survey.committed().getOrDefault(partition, earliest);
        if (partition.topic().equals(prompts) && committed < earliest) {
            add(
                    Severity.WARNING,
                    partition.toString(),
                    "earliest offset",
                    Long.toString(earliest),
                    "at most " + committed + ", where group " + settings.applicationId() + " is",
                    "more instances, or a longer retention.ms: " + (earliest - committed)
                            + " prompts were deleted before they were read, and are lost");
        }
    }

    private void changelog(Changelog changelog) {
        String name = changelog.name();
        if (survey.topic(name).isEmpty()) {
            absent(name);
            return;
        }
        int expected = survey.partitions(prompts);
        if (survey.partitions(name) != expected) {
            add(
                    Severity.ERROR,
                    name,
                    "partitions",
                    Integer.toString(survey.partitions(name)),
                    expected + " as topic " + prompts + " has",
                    "stop every instance of application_id=" + settings.applicationId()
                            + " and run millrace topics grow"
                            + " --partitions " + expected + ", which needs an empty pending store; or use another"
                            + " application_id. The prompts topic was grown or created again");
        }
        int promptBytes = survey.number(prompts, TopicConfig.MAX_MESSAGE_BYTES_CONFIG)
                .orElse(0L)
                .intValue();
        new TreeMap<>(changelog.settings().apply(Topics.entryBytes(promptBytes)))
                .forEach((setting, value) -> changelogSetting(name, setting, value));
    }

    private void absent(String changelog) {
        boolean worked = survey.committed().keySet().stream()
                .anyMatch(partition -> partition.topic().equals(prompts));
        add(
                worked ? Severity.WARNING : Severity.NOTE,
                changelog,
                "topic",
                "absent",
                "exists",
                worked
                        ? "the next start creates it. Unless 'topics grow' deleted it, prompts that were pending in it are lost:"
                                + " send them again"
                        : "none needed: the next start, or millrace topics create, creates it");
    }

    private void changelogSetting(String topic, String setting, String expected) {
        Optional<String> found = survey.setting(topic, setting);
        if (found.isEmpty()) {
            return;
        }
        String is = found.get();
        String why = WHY.getOrDefault(setting, "as it would have been created");
        if (setting.equals(TopicConfig.CLEANUP_POLICY_CONFIG)) {
            if (!policies(is).equals(policies(expected))) {
                addFixable(Severity.ERROR, topic, setting, is, expected, expected, why);
            }
        } else if (AT_LEAST.contains(setting)) {
            boolean tooLong = setting.equals(TopicConfig.DELETE_RETENTION_MS_CONFIG)
                    && Long.parseLong(is) > TOO_LONG * Long.parseLong(expected);
            if (compare(is, expected) < 0 || tooLong) {
                addFixable(Severity.WARNING, topic, setting, is, "at least " + expected, expected, why);
            }
        } else if (AT_MOST.contains(setting)) {
            if (compare(is, expected) > 0) {
                addFixable(Severity.WARNING, topic, setting, is, "at most " + expected, expected, why);
            }
        } else if (!is.equals(expected)) {
            addFixable(Severity.WARNING, topic, setting, is, expected, expected, why);
        }
    }

    private void sizes() {
        for (Sink sink : Sink.values()) {
            String topic = settings.outputs().of(sink);
            survey.number(topic, TopicConfig.MAX_MESSAGE_BYTES_CONFIG)
                    .filter(bytes -> bytes < SizeLimits.LEAST_BYTES)
                    .ifPresent(bytes -> add(
                            Severity.ERROR,
                            topic,
                            TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
                            Long.toString(bytes),
                            "at least " + SizeLimits.LEAST_BYTES,
                            KAFKA_CONFIGS + "max.message.bytes=1048588: not even a failure would fit"));
        }
        Optional<Long> promptBytes = survey.number(prompts, TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
        String deadLetters = settings.outputs().deadLetters();
        Optional<Long> bytes = survey.number(deadLetters, TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
        if (promptBytes.isPresent() && bytes.isPresent()) {
            String least = Integer.toString(Topics.entryBytes(promptBytes.get().intValue()));
            if (bytes.get() < Long.parseLong(least)) {
                addFixable(
                        Severity.WARNING,
                        deadLetters,
                        TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
                        Long.toString(bytes.get()),
                        "at least " + least,
                        least,
                        "large undecodable records would be failures, their bytes gone");
            }
        }
    }

    private void control() {
        String topic = settings.controlTopic();
        Map<String, String> expected = ControlTopic.config();
        survey.setting(topic, TopicConfig.CLEANUP_POLICY_CONFIG)
                .filter(policy -> !policies(policy).contains(TopicConfig.CLEANUP_POLICY_COMPACT))
                .ifPresent(policy -> addFixable(
                        Severity.WARNING,
                        topic,
                        TopicConfig.CLEANUP_POLICY_CONFIG,
                        policy,
                        "compact",
                        expected.getOrDefault(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT),
                        "every start reads every command that was ever given"));
    }

    private void fence() {
        String fence = FencedProducer.fenceTopic(settings.applicationId());
        if (survey.topic(fence).isEmpty()) {
            return; // each start creates it
        }
        if (survey.partitions(fence) != 1) {
            add(
                    Severity.WARNING,
                    fence,
                    "partitions",
                    Integer.toString(survey.partitions(fence)),
                    "1",
                    "none needed: the others are not used. Somebody else created or grew it");
        }
        survey.latest().forEach((partition, latest) -> {
            if (partition.topic().equals(fence) && latest > survey.earliest().getOrDefault(partition, 0L)) {
                add(
                        Severity.WARNING,
                        fence,
                        "records",
                        Long.toString(latest - survey.earliest().getOrDefault(partition, 0L)),
                        "0",
                        "find out who writes to it: it is only there to be committed to, and shows a lag now");
            }
        });
    }

    private void durability() {
        List<String> names = new ArrayList<>(Topics.users(settings));
        names.addAll(Topics.own(settings));
        names.addAll(TopicSurvey.KAFKAS);
        for (String name : names) {
            if (survey.topic(name).isPresent()) {
                durability(name, survey.replicas(name));
            }
        }
    }

    private void durability(String topic, int replicas) {
        if (replicas < 3) {
            add(
                    Severity.NOTE,
                    topic,
                    "replicas",
                    Integer.toString(replicas),
                    "3 on a cluster that must not lose data",
                    "kafka-reassign-partitions.sh, and topics.replication_factor: 3 for those still to be created");
        }
        survey.number(topic, TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG)
                .ifPresent(leastInSync -> inSync(topic, replicas, leastInSync));
        survey.setting(topic, TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG)
                .filter(Boolean::parseBoolean)
                .ifPresent(value -> add(
                        Severity.WARNING,
                        topic,
                        TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG,
                        value,
                        "false",
                        KAFKA_CONFIGS + "unclean.leader.election.enable=false: acknowledged records may be lost"));
    }

    private void inSync(String topic, int replicas, long leastInSync) {
        if (replicas >= 3 && leastInSync < 2) {
            add(
                    Severity.WARNING,
                    topic,
                    TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG,
                    Long.toString(leastInSync),
                    "2",
                    KAFKA_CONFIGS
                            + "min.insync.replicas=2: a single broker may hold what was acknowledged, and be lost");
        } else if (replicas > 1 && leastInSync >= replicas) {
            add(
                    Severity.WARNING,
                    topic,
                    TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG,
                    Long.toString(leastInSync),
                    "less than its " + replicas + " replicas",
                    KAFKA_CONFIGS + "min.insync.replicas=" + (replicas - 1)
                            + ": one broker that is down stops everything");
        }
    }

    private void brokers() {
        long timeoutMs = Topics.usersNumber(settings, ProducerConfig.TRANSACTION_TIMEOUT_CONFIG)
                .orElse(StreamsProperties.TRANSACTION_TIMEOUT_MS);
        broker("transaction.max.timeout.ms")
                .filter(most -> most < timeoutMs)
                .ifPresent(most -> add(
                        Severity.ERROR,
                        BROKERS,
                        "transaction.max.timeout.ms",
                        Long.toString(most),
                        "at least " + timeoutMs + ", the producer's transaction.timeout.ms",
                        "raise it on the brokers, or lower kafka.producer.transaction.timeout.ms"));
        String cleanup = "transaction.abort.timed.out.transaction.cleanup.interval.ms";
        broker(cleanup)
                .filter(ms -> ms > LONG_CLEANUP_MS)
                .ifPresent(ms -> add(
                        Severity.NOTE,
                        BROKERS,
                        cleanup,
                        Long.toString(ms),
                        "1000 where takeover matters",
                        "set it on the brokers: after a kill, takeover waits for the dead instance's transaction, up to"
                                + " this long beyond its " + timeoutMs + " ms"));
    }

    private Optional<Long> broker(String setting) {
        return Optional.ofNullable(survey.broker().get(setting)).map(Long::valueOf);
    }

    private static Set<String> policies(String policy) {
        return new TreeSet<>(Arrays.stream(policy.split(",")).map(String::strip).toList());
    }

    private static int compare(String is, String expected) {
        return new BigDecimal(is).compareTo(new BigDecimal(expected));
    }

    private void add(Severity severity, String topic, String setting, String is, String expected, String remedy) {
        findings.add(new Finding(severity, List.of(topic), setting, is, expected, remedy, Optional.empty()));
    }

    private void addFixable(
            Severity severity, String topic, String setting, String is, String expected, String fix, String why) {
        findings.add(new Finding(severity, List.of(topic), setting, is, expected, FIX + why, Optional.of(fix)));
    }
}
