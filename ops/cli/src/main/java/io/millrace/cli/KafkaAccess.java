package io.millrace.cli;

import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.config.MillraceConfig;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Kafka as the commands use it. */
final class KafkaAccess {

    /** How long Kafka may take to answer the first question. */
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private KafkaAccess() {}

    /** The configuration's properties for a client of this process. */
    static Map<String, Object> properties(MillraceConfig config) {
        Map<String, Object> kafka = new HashMap<>(config.kafka().properties());
        kafka.putIfAbsent("client.id", "millrace-cli");
        try {
            RecordSerdes.requireSharedRegistry(kafka);
        } catch (ConfigException e) {
            throw new CliException(ExitCode.CONFIG, String.valueOf(e.getMessage()), e);
        }
        return kafka;
    }

    /** Says soon, and in one line, that Kafka cannot be reached or lacks one of these topics. */
    static void require(Map<String, Object> kafka, String... topics) throws InterruptedException {
        Map<String, Object> properties = new HashMap<>(kafka);
        properties.put("default.api.timeout.ms", (int) PATIENCE.toMillis());
        properties.put("request.timeout.ms", (int) PATIENCE.toMillis());
        try (Admin admin = Admin.create(properties)) {
            admin.describeCluster().clusterId().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            admin.describeTopics(List.of(topics)).allTopicNames().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                throw new CliException(
                        ExitCode.KAFKA,
                        "topics=" + String.join(", ", topics)
                                + ", expected=topics that exist; 'millrace topics create' makes" + " them",
                        e);
            }
            throw unreachable(kafka, e.getCause() == null ? e : e.getCause());
        } catch (TimeoutException e) {
            throw unreachable(kafka, e);
        }
    }

    private static CliException unreachable(Map<String, Object> kafka, Throwable cause) {
        String reason =
                cause instanceof TimeoutException || cause instanceof org.apache.kafka.common.errors.TimeoutException
                        ? "no answer within " + PATIENCE.toSeconds() + " s"
                        : String.valueOf(cause.getMessage());
        return new CliException(
                ExitCode.KAFKA,
                "bootstrap.servers=" + kafka.get("bootstrap.servers") + ", expected=Kafka to answer there: " + reason,
                cause);
    }
}
