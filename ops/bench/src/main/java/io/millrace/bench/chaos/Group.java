package io.millrace.bench.chaos;

import io.millrace.devstack.TopicReader;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.common.TopicPartition;

/**
 * Who works on which partition.
 *
 * <p>Threads: any.
 */
final class Group {

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

    /** A broker that coordinates a transaction which is open now; empty if there is none. */
    OptionalInt openTransactionsCoordinator() {
        var byBroker = TopicReader.await(kafka.admin().listTransactions().allByBrokerId(), "transactions");
        return byBroker.entrySet().stream()
                .filter(broker -> broker.getValue().stream().anyMatch(each -> each.state() == TransactionState.ONGOING))
                .mapToInt(Map.Entry::getKey)
                .findAny();
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
            int thread = member.clientId().indexOf("-StreamThread-");
            if (!partitions.isEmpty() && thread > 0) {
                lastKnown.put(member.clientId().substring(0, thread), partitions);
            }
        }
    }
}
