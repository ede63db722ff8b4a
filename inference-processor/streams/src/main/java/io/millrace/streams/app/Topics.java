package io.millrace.streams.app;

import io.millrace.streams.control.ControlTopic;
import io.millrace.streams.gate.FencedProducer;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.records.Sink;
import io.millrace.streams.records.SizeLimits;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.StreamsConfig;

/** Creates topics, and checks at start-up that those that are there can work together. */
public final class Topics {

    /** What a pending entry or a dead letter takes on top of its prompt record: key, counters, error headers. */
    static final int ENTRY_OVERHEAD_BYTES = 64 * 1024;

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
        int promptBytes =
                Objects.requireNonNull(admin.maxMessageBytes(List.of(prompts)).get(prompts));
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
                Map.of(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(plus(promptBytes)))));
        // one partition: every instance reads all of it, and commands keep their order
        rest.add(TopicAdmin.topic(settings.controlTopic(), 1, shape.replicationFactor(), ControlTopic.config()));
        rest.addAll(own(settings, new Shape(partitions, shape.replicationFactor()), plus(promptBytes)));
        created.addAll(admin.create(rest));
        var _ = admin.describe(rest.stream().map(NewTopic::name).toList());
        return created;
    }

    private static List<NewTopic> own(ProcessorSettings settings, Shape shape, int recordBytes) {
        List<NewTopic> topics = new ArrayList<>();
        for (Changelog changelog : settings.changelogs()) {
            topics.add(planned(shape, changelog.name(), changelog.settings().apply(recordBytes)));
        }
        String fence = FencedProducer.fenceTopic(settings.applicationId());
        topics.add(TopicAdmin.topic(fence, 1, shape.replicationFactor(), Map.of()));
        return topics;
    }

    private static NewTopic planned(Shape shape, String name, Map<String, String> configs) {
        return TopicAdmin.topic(name, shape.partitions(), shape.replicationFactor(), configs);
    }

    /**
     * Creates the fence, and checks the rest.
     *
     * @throws StartException naming what is wrong and the remedy
     */
    static Facts check(Admin client, ProcessorSettings settings) {
        TopicAdmin admin = new TopicAdmin(client);
        String changelog = PendingStore.changelog(settings.applicationId());
        String fence = FencedProducer.fenceTopic(settings.applicationId());
        if (admin.describeNow(List.of(fence)).isEmpty()) {
            admin.create(List.of(TopicAdmin.topic(fence, 1, settings.replicationFactor(), Map.of())));
        }
        List<String> users = new ArrayList<>(
                List.of(settings.promptsTopic(), settings.engineMetricsTopic(), settings.controlTopic()));
        for (Sink sink : Sink.values()) {
            users.add(settings.outputs().of(sink));
        }
        Map<String, TopicDescription> found = admin.describe(users);
        requirePresent(users, found);
        // Streams creates it at the first start: nothing to wait for
        found.putAll(admin.describeNow(List.of(changelog)));
        TopicDescription prompts = Objects.requireNonNull(found.get(settings.promptsTopic()));
        requireSameCount(settings, prompts, changelog, found);
        return facts(settings, prompts.topicId(), changelog, admin.maxMessageBytes(found.keySet()));
    }

    private static void requirePresent(List<String> names, Map<String, TopicDescription> found) {
        List<String> missing =
                names.stream().filter(name -> !found.containsKey(name)).toList();
        if (!missing.isEmpty()) {
            throw new StartException("topics " + missing
                    + " do not exist. Create them: millrace topics create (or name existing ones under topics: in the"
                    + " configuration)");
        }
    }

    private static void requireSameCount(
            ProcessorSettings settings,
            TopicDescription prompts,
            String changelog,
            Map<String, TopicDescription> found) {
        TopicDescription log = found.get(changelog);
        int expected = prompts.partitions().size();
        if (log != null && log.partitions().size() != expected) {
            throw new StartException("changelog " + changelog + " partitions="
                    + log.partitions().size() + ", expected=" + expected + " as topic " + settings.promptsTopic()
                    + " has: the prompts topic was grown or created again. Remedy: stop every instance of application_id="
                    + settings.applicationId() + " with nothing pending, delete topic " + changelog
                    + ", start again; or use another application_id");
        }
    }

    private static Facts facts(
            ProcessorSettings settings, Uuid topicId, String changelog, Map<String, Integer> maxBytes) {
        int promptBytes = Objects.requireNonNull(maxBytes.get(settings.promptsTopic()));
        // Streams creates the changelog with what we ask for, unless it is there already
        int changelogBytes = maxBytes.getOrDefault(changelog, plus(promptBytes));
        Map<Sink, Integer> outputs = new HashMap<>();
        for (Sink sink : Sink.values()) {
            outputs.put(
                    sink, Objects.requireNonNull(maxBytes.get(settings.outputs().of(sink))));
        }
        int largest = Math.max(changelogBytes, Collections.max(outputs.values()));
        int least = Math.min(changelogBytes, Collections.min(outputs.values()));
        int maxRequest = usersMaxRequest(settings, largest);
        Map<Sink, Long> limits = new HashMap<>();
        outputs.forEach((sink, bytes) -> limits.put(sink, (long) Math.min(bytes, maxRequest)));
        SizeLimits sizes = new SizeLimits(Math.min(changelogBytes, maxRequest), limits);
        return new Facts(topicId, sizes, changelogBytes, maxRequest, least);
    }

    private static int usersMaxRequest(ProcessorSettings settings, int otherwise) {
        for (String name : List.of(
                StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG),
                ProducerConfig.MAX_REQUEST_SIZE_CONFIG)) {
            Object value = settings.kafka().get(name);
            if (value != null) {
                try {
                    return Integer.parseInt(value.toString());
                } catch (NumberFormatException e) {
                    throw new StartException("kafka." + name + "=" + value + ", expected=a number of bytes", e);
                }
            }
        }
        return otherwise;
    }

    private static int plus(int promptBytes) {
        return (int) Math.min(Integer.MAX_VALUE, (long) promptBytes + ENTRY_OVERHEAD_BYTES);
    }
}
