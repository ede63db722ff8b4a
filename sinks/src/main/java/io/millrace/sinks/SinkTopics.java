package io.millrace.sinks;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** What the cluster says of the sink's topics. */
final class SinkTopics implements AutoCloseable {
    private final Admin admin;
    private final String bootstrapServers;
    private final List<String> topics;

    SinkTopics(JsonlSinkOptions options) {
        Map<String, Object> config = new HashMap<>(options.kafka());
        this.bootstrapServers = String.valueOf(options.kafka().get("bootstrap.servers"));
        this.admin = Admin.create(config);
        this.topics = options.topics();
    }

    List<TopicDescription> describe() {
        List<TopicDescription> descriptions = new ArrayList<>();
        admin.describeTopics(topics).topicNameValues().forEach((topic, future) -> {
            try {
                descriptions.add(future.get());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new SinkException("interrupted while asking for topic " + topic, e);
            } catch (ExecutionException e) {
                throw failure(topic, e.getCause() == null ? e : e.getCause());
            }
        });
        return descriptions;
    }

    private SinkException failure(String topic, Throwable cause) {
        if (cause instanceof UnknownTopicOrPartitionException) {
            return new SinkException(
                    "topic=" + topic + ", expected=a topic of the cluster at bootstrap.servers=" + bootstrapServers,
                    cause);
        }
        if (cause instanceof InvalidTopicException) {
            return new SinkException("topic=" + topic + ", expected=a topic name: " + cause.getMessage(), cause);
        }
        return new SinkException(
                "topic=" + topic + " could not be described: bootstrap.servers=" + bootstrapServers + ": "
                        + cause.getMessage(),
                cause);
    }

    static List<TopicPartition> partitions(TopicDescription topic) {
        return topic.partitions().stream()
                .map(partition -> new TopicPartition(topic.name(), partition.partition()))
                .toList();
    }

    @Override
    public void close() {
        admin.close();
    }
}
