package io.millrace.bench.chaos;

import io.millrace.devstack.TopicReader;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who works on which partition.
 *
 * <p>Threads: any.
 */
final class Group {

    private static final Logger LOG = LoggerFactory.getLogger(Group.class);
    private static final Pattern STREAM_THREAD =
            Pattern.compile("(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-StreamThread-.+");

    private final TopicReader kafka;
    private final Map<String, Set<Integer>> lastKnown = new ConcurrentHashMap<>();

    Group(TopicReader kafka) {
        this.kafka = kafka;
    }

    /** A worker's prompt partitions, or the last ones known while the group is on the move. */
    Set<Integer> partitionsOf(String worker) {
        refresh();
        return lastKnown.getOrDefault(worker, Set.of());
    }

    /** Partitions of which a broker leads prompts, results or pending store. */
    Set<Integer> ledBy(int brokerId) {
        Map<String, TopicDescription> topics = TopicReader.await(
                kafka.admin().describeTopics(AppFiles.followed()).allTopicNames(), "leaders");
        return topics.values().stream()
                .flatMap(topic -> topic.partitions().stream())
                .filter(partition ->
                        partition.leader() != null && partition.leader().id() == brokerId)
                .map(partition -> partition.partition())
                .collect(Collectors.toSet());
    }

    /** A broker that coordinates a transaction which is open now; empty if there is none, or a broker is away: nothing is listed then. */
    OptionalInt openTransactionsCoordinator() {
        return listTransactions().entrySet().stream()
                .filter(broker -> broker.getValue().stream().anyMatch(each -> each.state() == TransactionState.ONGOING))
                .mapToInt(Map.Entry::getKey)
                .findAny();
    }

    private Map<Integer, Collection<TransactionListing>> listTransactions() {
        try {
            return TopicReader.await(kafka.admin().listTransactions().allByBrokerId(), "transactions");
        } catch (IllegalStateException e) {
            LOG.debug("no transactions are listed while a broker is away", e);
            return Map.of();
        }
    }

    /** The worker whose stream thread has this client id, {@code <worker>-<process UUID>-StreamThread-<n>…}. */
    static Optional<String> workerOf(String clientId) {
        Matcher parts = STREAM_THREAD.matcher(clientId);
        return parts.matches() ? Optional.of(parts.group(1)) : Optional.empty();
    }

    private void refresh() {
        var described = TopicReader.await(
                kafka.admin()
                        .describeConsumerGroups(List.of(AppFiles.APPLICATION))
                        .all(),
                "the group");
        for (MemberDescription member :
                Objects.requireNonNull(described.get(AppFiles.APPLICATION)).members()) {
            Set<Integer> partitions = member.assignment().topicPartitions().stream()
                    .filter(partition -> partition.topic().equals(AppFiles.PROMPTS))
                    .map(TopicPartition::partition)
                    .collect(Collectors.toSet());
            if (!partitions.isEmpty()) {
                workerOf(member.clientId()).ifPresent(worker -> lastKnown.put(worker, partitions));
            }
        }
    }
}
