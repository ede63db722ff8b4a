package io.millrace.streams.app;

import io.millrace.streams.app.Finding.Severity;
import io.millrace.streams.control.ControlTopic;
import io.millrace.streams.gate.FencedProducer;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.records.Sink;
import io.millrace.streams.records.SizeLimits;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.StreamsConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Creates topics, and checks at start-up that those that are there can work together. */
public final class Topics {

    /** What a pending entry or a dead letter takes on top of its prompt record: key, counters, error headers. */
    static final int ENTRY_OVERHEAD_BYTES = 64 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(Topics.class);

    private Topics() {}

    /**
     * How topics are created.
     *
     * @param partitions of each topic but those that need one alone; many, because growing later needs a stop
     * @param replicationFactor copies of each partition
     */
    public record Shape(int partitions, short replicationFactor) {

        public Shape {
            if (partitions < 1 || replicationFactor < 1) {
                throw new IllegalArgumentException("partitions=" + partitions + ", replication_factor="
                        + replicationFactor + ", expected=at least 1");
            }
        }
    }

    /**
     * What the start-up check found.
     *
     * @param topicId of the prompts topic
     * @param changelogBytes the changelog's {@code max.message.bytes}
     * @param maxRequestBytes largest record that may be sent anywhere
     * @param leastBatchBytes smallest {@code max.message.bytes} of a topic that is written
     */
    record Facts(Uuid topicId, SizeLimits limits, int changelogBytes, int maxRequestBytes, int leastBatchBytes) {}

    /** The topics that users see. */
    public static List<String> users(ProcessorSettings settings) {
        return List.of(
                settings.promptsTopic(),
                settings.outputs().results(),
                settings.outputs().failures(),
                settings.outputs().metrics(),
                settings.outputs().deadLetters(),
                settings.engineMetricsTopic(),
                settings.controlTopic());
    }

    /** The application's own: a changelog for each store, and the fence. */
    public static List<String> own(ProcessorSettings settings) {
        List<String> names = new ArrayList<>();
        settings.changelogs().forEach(changelog -> names.add(changelog.name()));
        names.add(FencedProducer.fenceTopic(settings.applicationId()));
        return names;
    }

    /**
     * Creates the topics that do not exist yet, the application's own included, and answers their names. Changelogs get as
     * many partitions as the prompts topic has.
     */
    public static List<String> create(Admin client, ProcessorSettings settings, Shape shape) {
        TopicAdmin admin = new TopicAdmin(client);
        String prompts = settings.promptsTopic();
        List<String> created = new ArrayList<>(admin.create(List.of(planned(shape, prompts, Map.of()))));
        int partitions = Objects.requireNonNull(admin.describe(List.of(prompts)).get(prompts))
                .partitions()
                .size();
        int promptBytes = bytes(admin.settings(List.of(prompts)), prompts);
        List<NewTopic> rest = new ArrayList<>();
        for (String name : List.of(
                settings.outputs().results(),
                settings.outputs().failures(),
                settings.outputs().metrics(),
                settings.engineMetricsTopic())) {
            rest.add(planned(shape, name, Map.of()));
        }
        rest.add(planned(
                shape,
                settings.outputs().deadLetters(),
                Map.of(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(entryBytes(promptBytes)))));
        // one partition: every instance reads all of it, and commands keep their order
        rest.add(TopicAdmin.topic(settings.controlTopic(), 1, shape.replicationFactor(), ControlTopic.config()));
        rest.addAll(own(settings, new Shape(partitions, shape.replicationFactor()), entryBytes(promptBytes)));
        created.addAll(admin.create(rest));
        var _ = admin.describe(rest.stream().map(NewTopic::name).toList());
        return created;
    }

    private static List<NewTopic> own(ProcessorSettings settings, Shape shape, int recordBytes) {
        List<NewTopic> topics = new ArrayList<>();
        for (Changelog changelog : settings.changelogs()) {
            topics.add(planned(shape, changelog.name(), changelog.settings().apply(recordBytes)));
        }
        topics.add(fence(settings, shape.replicationFactor()));
        return topics;
    }

    /** The application's own topics, with so many partitions and as durable as the prompts topic. */
    static List<NewTopic> own(ProcessorSettings settings, TopicSurvey survey, int partitions) {
        String prompts = settings.promptsTopic();
        return own(
                settings,
                new Shape(partitions, (short) survey.replicas(prompts)),
                entryBytes(bytes(survey.settings(), prompts)));
    }

    private static NewTopic fence(ProcessorSettings settings, short replicas) {
        return TopicAdmin.topic(FencedProducer.fenceTopic(settings.applicationId()), 1, replicas, Map.of());
    }

    private static NewTopic planned(Shape shape, String name, Map<String, String> configs) {
        return TopicAdmin.topic(name, shape.partitions(), shape.replicationFactor(), configs);
    }

    /** What is not as it should be, the worst last; several topics in one where they have the same. */
    public static List<Finding> check(Admin client, ProcessorSettings settings) {
        return Finding.merged(TopicChecks.of(settings, TopicSurvey.of(client, settings))).stream()
                .sorted(Comparator.comparing(Finding::severity).reversed())
                .toList();
    }

    /** Does what a finding's fix says. The others need a person. */
    public static void fix(Admin client, Finding finding) {
        TopicAdmin admin = new TopicAdmin(client);
        finding.fix().ifPresent(value -> finding.topics().forEach(topic -> admin.set(topic, finding.setting(), value)));
    }

    /**
     * Checks, logs warnings, and creates those of the application's own topics that do not exist.
     *
     * @throws StartException naming all that is wrong, each with its remedy
     */
    static Facts prepare(Admin client, ProcessorSettings settings) {
        TopicSurvey survey = TopicSurvey.of(client, settings);
        List<Finding> findings = Finding.merged(TopicChecks.of(settings, survey));
        List<String> errors = findings.stream()
                .filter(finding -> finding.severity() == Severity.ERROR)
                .map(Finding::message)
                .toList();
        if (!errors.isEmpty()) {
            throw new StartException(String.join("\n", errors));
        }
        findings.stream()
                .filter(finding -> finding.severity() == Severity.WARNING)
                .forEach(finding -> LOG.warn("{}", finding.message()));
        createOwn(new TopicAdmin(client), settings, survey);
        return facts(settings, survey);
    }

    private static void createOwn(TopicAdmin admin, ProcessorSettings settings, TopicSurvey survey) {
        createMissing(admin, own(settings, survey, survey.partitions(settings.promptsTopic())), survey);
    }

    /** Creates the fence if there is none. */
    static void createFence(TopicAdmin admin, ProcessorSettings settings, TopicSurvey survey) {
        short replicas = (short) survey.replicas(settings.promptsTopic());
        createMissing(admin, List.of(fence(settings, replicas)), survey);
    }

    private static void createMissing(TopicAdmin admin, List<NewTopic> topics, TopicSurvey survey) {
        List<NewTopic> missing = topics.stream()
                .filter(topic -> survey.topic(topic.name()).isEmpty())
                .toList();
        admin.create(missing);
        var _ = admin.describe(missing.stream().map(NewTopic::name).toList());
    }

    private static Facts facts(ProcessorSettings settings, TopicSurvey survey) {
        int promptBytes = bytes(survey.settings(), settings.promptsTopic());
        int changelogBytes = survey.number(
                        PendingStore.changelog(settings.applicationId()), TopicConfig.MAX_MESSAGE_BYTES_CONFIG)
                .map(Long::intValue)
                .orElse(entryBytes(promptBytes));
        Map<Sink, Integer> outputs = new HashMap<>();
        for (Sink sink : Sink.values()) {
            outputs.put(sink, bytes(survey.settings(), settings.outputs().of(sink)));
        }
        int largest = Math.max(changelogBytes, Collections.max(outputs.values()));
        int least = Math.min(changelogBytes, Collections.min(outputs.values()));
        int maxRequest = usersNumber(settings, ProducerConfig.MAX_REQUEST_SIZE_CONFIG)
                .map(Long::intValue)
                .orElse(largest);
        Map<Sink, Long> limits = new HashMap<>();
        outputs.forEach((sink, bytes) -> limits.put(sink, (long) Math.min(bytes, maxRequest)));
        SizeLimits sizes = new SizeLimits(Math.min(changelogBytes, maxRequest), limits);
        Uuid topicId = survey.topic(settings.promptsTopic()).orElseThrow().topicId();
        return new Facts(topicId, sizes, changelogBytes, maxRequest, least);
    }

    private static int bytes(Map<String, Map<String, String>> settings, String topic) {
        String value = Objects.requireNonNull(settings.get(topic)).get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
        return Integer.parseInt(Objects.requireNonNull(value));
    }

    /** What the user's properties say of a producer's number, if anything. */
    static Optional<Long> usersNumber(ProcessorSettings settings, String property) {
        for (String name : List.of(StreamsConfig.producerPrefix(property), property)) {
            Object value = settings.kafka().get(name);
            if (value != null) {
                try {
                    return Optional.of(Long.valueOf(value.toString()));
                } catch (NumberFormatException e) {
                    throw new StartException("kafka." + name + "=" + value + ", expected=a number", e);
                }
            }
        }
        return Optional.empty();
    }

    /** Room that an entry of the pending store, or a dead letter, needs for a prompt record of this size. */
    static int entryBytes(int promptBytes) {
        return (int) Math.min(Integer.MAX_VALUE, (long) promptBytes + ENTRY_OVERHEAD_BYTES);
    }
}
