package io.millrace.streams.app;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
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
        Map<String, TopicDescription> found = new HashMap<>();
        for (Map.Entry<String, KafkaFuture<TopicDescription>> topic :
                admin.describeTopics(names).topicNameValues().entrySet()) {
            try {
                found.put(topic.getKey(), get(topic.getValue(), "describe topic " + topic.getKey()));
            } catch (StartException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw e;
                }
            }
        }
        return found;
    }

    /** The effective {@code max.message.bytes} of each topic, the broker's default included. */
    Map<String, Integer> maxMessageBytes(Collection<String> names) {
        List<ConfigResource> resources = names.stream()
                .map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name))
                .toList();
        Map<ConfigResource, Config> configs = configs(resources);
        Map<String, Integer> bytes = new HashMap<>();
        configs.forEach((resource, config) -> bytes.put(
                resource.name(),
                Integer.valueOf(config.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG).value())));
        return bytes;
    }

    private Map<ConfigResource, Config> configs(List<ConfigResource> resources) {
        long giveUp = System.nanoTime() + SEEN.toNanos();
        while (true) {
            try {
                return get(admin.describeConfigs(resources).all(), "read the settings of " + resources);
            } catch (StartException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException) || System.nanoTime() > giveUp) {
                    throw e;
                }
                pause();
            }
        }
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
