package io.millrace.streams.app;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The few questions that are asked of a cluster's topics. Each call waits at most {@link #TIMEOUT}. */
final class TopicAdmin {

    /** How long a cluster may take to answer one question. */
    static final Duration TIMEOUT = Duration.ofSeconds(30);

    /** How long a new topic may take to be known to all brokers. */
    private static final Duration SEEN = Duration.ofSeconds(5);

    private static final long PAUSE_MS = 50;

    private final Admin admin;

    TopicAdmin(Admin admin) {
        this.admin = admin;
    }

    /** The topics that exist among these. One that was just created may take a moment to be seen: waits for it. */
    Map<String, TopicDescription> describe(Collection<String> names) {
        long giveUp = System.nanoTime() + SEEN.toNanos();
        Map<String, TopicDescription> found = describeNow(names);
        while (found.size() < names.size() && System.nanoTime() < giveUp) {
            pause();
            found = describeNow(names);
        }
        return found;
    }

    /** The topics that are seen at this moment. */
    Map<String, TopicDescription> describeNow(Collection<String> names) {
        return describe(names, List.of(UnknownTopicOrPartitionException.class));
    }

    /** The same, without those that this client may not see. */
    Map<String, TopicDescription> describeVisible(Collection<String> names) {
        return describe(names, List.of(UnknownTopicOrPartitionException.class, TopicAuthorizationException.class));
    }

    private Map<String, TopicDescription> describe(
            Collection<String> names, List<Class<? extends Exception>> meaningAbsent) {
        Map<String, TopicDescription> found = new HashMap<>();
        admin.describeTopics(names)
                .topicNameValues()
                .forEach((name, future) -> getUnless(meaningAbsent, future, "describe topic " + name)
                        .ifPresent(topic -> found.put(name, topic)));
        return found;
    }

    /** The effective settings of each topic, the brokers' defaults included; without those that this client may not see. */
    Map<String, Map<String, String>> settings(Collection<String> names) {
        long giveUp = System.nanoTime() + SEEN.toNanos();
        while (true) {
            try {
                return settingsNow(names);
            } catch (StartException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException) || System.nanoTime() > giveUp) {
                    throw e;
                }
                pause();
            }
        }
    }

    private Map<String, Map<String, String>> settingsNow(Collection<String> names) {
        Map<String, Map<String, String>> settings = new HashMap<>();
        admin.describeConfigs(names.stream()
                        .map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name))
                        .toList())
                .values()
                .forEach((topic, future) -> getUnless(
                                List.of(TopicAuthorizationException.class),
                                future,
                                "read the settings of topic " + topic.name())
                        .ifPresent(config -> settings.put(topic.name(), values(config))));
        return settings;
    }

    /** The settings of one broker, taken to stand for all; empty where they may not be read. */
    Map<String, String> brokerSettings() {
        Collection<Node> nodes = get(admin.describeCluster().nodes(), "list the brokers");
        if (nodes.isEmpty()) {
            return Map.of();
        }
        String id = nodes.iterator().next().idString();
        KafkaFuture<Map<ConfigResource, Config>> future = admin.describeConfigs(
                        List.of(new ConfigResource(ConfigResource.Type.BROKER, id)))
                .all();
        return getUnless(List.of(ClusterAuthorizationException.class), future, "read the settings of broker " + id)
                .map(configs -> values(configs.values().iterator().next()))
                .orElse(Map.of());
    }

    private static Map<String, String> values(Config config) {
        Map<String, String> values = new HashMap<>();
        for (ConfigEntry entry : config.entries()) {
            if (entry.value() != null) {
                values.put(entry.name(), entry.value());
            }
        }
        return values;
    }

    /** A group's offsets; none for a group that never committed. */
    Map<TopicPartition, Long> committed(String group) {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        getUnless(
                        List.of(GroupIdNotFoundException.class),
                        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(),
                        "read the offsets of group " + group)
                .ifPresent(committed -> committed.forEach((partition, offset) -> {
                    if (offset != null) {
                        offsets.put(partition, offset.offset());
                    }
                }));
        return offsets;
    }

    Map<TopicPartition, Long> offsets(Collection<TopicPartition> partitions, OffsetSpec spec) {
        Map<TopicPartition, OffsetSpec> request = new HashMap<>();
        partitions.forEach(partition -> request.put(partition, spec));
        Map<TopicPartition, Long> offsets = new HashMap<>();
        get(admin.listOffsets(request).all(), "list offsets")
                .forEach((partition, info) -> offsets.put(partition, info.offset()));
        return offsets;
    }

    /** Sets one topic setting and leaves the others. */
    void set(String topic, String setting, String value) {
        AlterConfigOp operation = new AlterConfigOp(new ConfigEntry(setting, value), AlterConfigOp.OpType.SET);
        getDone(
                admin.incrementalAlterConfigs(
                                Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), List.of(operation)))
                        .all(),
                "set " + setting + "=" + value + " of topic " + topic);
    }

    /** Members of a group, one a line's worth: client id and host. */
    List<String> members(String group) {
        return getUnless(
                        List.of(GroupIdNotFoundException.class),
                        Objects.requireNonNull(admin.describeConsumerGroups(List.of(group))
                                .describedGroups()
                                .get(group)),
                        "describe group " + group)
                .map(found -> found.members().stream()
                        .map(member -> member.clientId() + " on " + member.host())
                        .sorted()
                        .toList())
                .orElse(List.of());
    }

    void grow(String topic, int partitions) {
        getDone(
                admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions)))
                        .all(),
                "grow topic " + topic);
    }

    /** Deletes a topic, if it is there. */
    void delete(String topic) {
        getUnless(
                List.of(UnknownTopicOrPartitionException.class),
                admin.deleteTopics(List.of(topic)).all(),
                "delete topic " + topic);
    }

    /**
     * Waits until a topic has this many partitions, 0 for no topic.
     *
     * @throws StartException if it has not within {@link #TIMEOUT}
     */
    void awaitPartitions(String topic, int expected) {
        long giveUp = System.nanoTime() + TIMEOUT.toNanos();
        int partitions = partitions(topic);
        while (partitions != expected) {
            if (System.nanoTime() > giveUp) {
                throw new StartException(
                        topic + ": partitions=" + partitions + ", expected=" + expected + ". Remedy: run it again");
            }
            pause();
            partitions = partitions(topic);
        }
    }

    private int partitions(String topic) {
        TopicDescription found = describeNow(List.of(topic)).get(topic);
        return found == null ? 0 : found.partitions().size();
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StartException("interrupted while topics are looked up", e);
        }
    }

    /** Creates what does not exist; answers the names it created. */
    List<String> create(Collection<NewTopic> topics) {
        List<String> created = new ArrayList<>();
        for (Map.Entry<String, KafkaFuture<Void>> topic :
                admin.createTopics(topics).values().entrySet()) {
            try {
                get(topic.getValue(), "create topic " + topic.getKey());
                created.add(topic.getKey());
            } catch (StartException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw e;
                }
            }
        }
        return created;
    }

    static NewTopic topic(String name, int partitions, short replicationFactor, Map<String, String> configs) {
        return new NewTopic(name, Optional.of(partitions), Optional.of(replicationFactor)).configs(configs);
    }

    private static void getDone(KafkaFuture<Void> future, String what) {
        var _ = getUnless(List.of(), future, what);
    }

    /** The answer, unless the question fails with one of these. */
    private static <T> Optional<T> getUnless(
            List<Class<? extends Exception>> failures, KafkaFuture<T> future, String what) {
        try {
            return Optional.ofNullable(get(future, what));
        } catch (StartException e) {
            if (failures.stream().noneMatch(failure -> failure.isInstance(e.getCause()))) {
                throw e;
            }
            return Optional.empty();
        }
    }

    // a future of Void holds null
    @SuppressWarnings("NullAway")
    private static <T> T get(KafkaFuture<T> future, String what) {
        try {
            return future.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StartException("interrupted: " + what, e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new StartException("cannot " + what + ": " + cause.getMessage(), cause);
        } catch (TimeoutException e) {
            throw new StartException("cannot " + what + ": no answer within " + TIMEOUT, e);
        }
    }
}
