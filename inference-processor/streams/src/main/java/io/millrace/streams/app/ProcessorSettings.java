package io.millrace.streams.app;

import io.millrace.streams.config.DeduplicationSettings;
import io.millrace.streams.config.MillraceConfig;
import io.millrace.streams.config.Ordering;
import io.millrace.streams.config.TopicSettings;
import io.millrace.streams.config.TopologySettings;
import io.millrace.streams.deduplication.RequestStore;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.records.OutputTopics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the topology is run with.
 *
 * @param applicationId name of the group, the changelog and the fence
 * @param instance unique among the instances, as metrics records name it
 * @param promptsTopic where prompts come from
 * @param outputs where endings go
 * @param engineMetricsTopic where an {@code EngineInterval} a second goes
 * @param controlTopic where commands come from
 * @param kafka Kafka's, Kafka Streams' and the registry's own properties by their own names
 * @param gate when fetching stops
 * @param intakeThreads threads that decode, validate and encode, at least 1
 * @param streamThreads Kafka Streams' threads, at least 1
 * @param replicationFactor of the topics that the program creates itself
 * @param defaultModel model of prompts that name none
 * @param orphanGrace how long requests of a task that has closed run on; zero for not at all
 * @param engineStallTimeout how long an engine with requests may complete no step
 * @param ordering in which order results appear
 * @param deduplication where prompts are deduplicated by their {@code request_id}
 */
public record ProcessorSettings(
        String applicationId,
        String instance,
        String promptsTopic,
        OutputTopics outputs,
        String engineMetricsTopic,
        String controlTopic,
        Map<String, Object> kafka,
        GateLimits gate,
        int intakeThreads,
        int streamThreads,
        short replicationFactor,
        String defaultModel,
        Duration orphanGrace,
        Duration engineStallTimeout,
        Ordering ordering,
        Optional<DeduplicationSettings> deduplication) {

    public ProcessorSettings {
        kafka = Map.copyOf(kafka);
        atLeastOne("intake_threads", intakeThreads);
        atLeastOne("num_stream_threads", streamThreads);
        atLeastOne("replication_factor", replicationFactor);
    }

    private static void atLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=at least 1");
        }
    }

    /** The same from the configuration file. */
    public static ProcessorSettings of(MillraceConfig config) {
        TopicSettings topics = config.topics();
        TopologySettings bounds = config.processor();
        return new ProcessorSettings(
                config.applicationId(),
                config.instance(),
                topics.prompts(),
                new OutputTopics(topics.results(), topics.failures(), topics.metrics(), topics.deadLetters()),
                topics.engineMetrics(),
                topics.control(),
                Map.copyOf(config.kafka().properties()),
                new GateLimits(
                        bounds.maxPending(),
                        bounds.maxPendingPerPartition(),
                        bounds.maxPendingBytes(),
                        bounds.maxPaused()),
                bounds.intakeThreads(),
                bounds.numStreamThreads(),
                (short) topics.replicationFactor(),
                config.defaultModel(),
                bounds.orphanGrace(),
                bounds.engineStallTimeout(),
                bounds.ordering(),
                bounds.deduplication());
    }

    /** The changelogs of the topology's stores. */
    List<Changelog> changelogs() {
        List<Changelog> changelogs = new ArrayList<>();
        changelogs.add(new Changelog(PendingStore.changelog(applicationId), PendingStore::changelogConfig));
        if (deduplication.isPresent()) {
            changelogs.add(new Changelog(RequestStore.changelog(applicationId), PendingStore::changelogConfig));
        }
        return changelogs;
    }
}
