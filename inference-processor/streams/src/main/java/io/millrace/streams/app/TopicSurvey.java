package io.millrace.streams.app;

import io.millrace.streams.gate.FencedProducer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;

/**
 * The cluster as the checks see it, at one moment. What this client may not see is absent.
 *
 * @param topics that exist, by name
 * @param settings of each of them, effective ones, the brokers' defaults included
 * @param broker settings of one broker; empty where they may not be read
 * @param committed the group's offsets
 * @param earliest first offset of each partition of the prompts topic and the fence
 * @param latest end offset of the same
 */
record TopicSurvey(
        Map<String, TopicDescription> topics,
        Map<String, Map<String, String>> settings,
        Map<String, String> broker,
        Map<TopicPartition, Long> committed,
        Map<TopicPartition, Long> earliest,
        Map<TopicPartition, Long> latest) {

    /** Kafka's own, on which transactions and offsets stand. */
    static final List<String> KAFKAS = List.of("__transaction_state", "__consumer_offsets");

    /** Asks. Topics of users that were created a moment ago are waited for. */
    static TopicSurvey of(Admin client, ProcessorSettings settings) {
        TopicAdmin admin = new TopicAdmin(client);
        Map<String, TopicDescription> topics = new HashMap<>(admin.describe(Topics.users(settings)));
        // Kafka Streams or the start creates them: nothing to wait for
        List<String> others = new ArrayList<>(Topics.own(settings));
        others.addAll(KAFKAS);
        topics.putAll(admin.describeVisible(others));
        List<TopicPartition> partitions = new ArrayList<>();
        String fence = FencedProducer.fenceTopic(settings.applicationId());
        for (String name : List.of(settings.promptsTopic(), fence)) {
            Optional.ofNullable(topics.get(name))
                    .ifPresent(topic -> topic.partitions()
                            .forEach(partition -> partitions.add(new TopicPartition(name, partition.partition()))));
        }
        return new TopicSurvey(
                topics,
                admin.settings(topics.keySet()),
                admin.brokerSettings(),
                admin.committed(settings.applicationId()),
                admin.offsets(partitions, OffsetSpec.earliest()),
                admin.offsets(partitions, OffsetSpec.latest()));
    }

    Optional<TopicDescription> topic(String name) {
        return Optional.ofNullable(topics.get(name));
    }

    /** A topic's setting; empty where there is no such topic or it may not be read. */
    Optional<String> setting(String topic, String name) {
        return Optional.ofNullable(settings.getOrDefault(topic, Map.of()).get(name));
    }

    /** A topic's setting that is a number; empty as {@link #setting}. */
    Optional<Long> number(String topic, String name) {
        return setting(topic, name).map(Long::valueOf);
    }

    int partitions(String topic) {
        return topic(topic).map(found -> found.partitions().size()).orElse(0);
    }

    /** The fewest copies that a partition of the topic has. */
    int replicas(String topic) {
        return topic(topic).orElseThrow().partitions().stream()
                .mapToInt(partition -> partition.replicas().size())
                .min()
                .orElse(0);
    }
}
