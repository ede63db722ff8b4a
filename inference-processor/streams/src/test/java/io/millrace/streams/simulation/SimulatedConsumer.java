package io.millrace.streams.simulation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/** A stream thread's main consumer: its side of the group's protocol, and fetching. */
final class SimulatedConsumer extends MockConsumer<byte[], byte[]> implements Group.Client {

    private final World world;
    private final Cluster cluster;
    private final Host host;
    private final Plan plan;
    private final Listener listener;
    private final Set<Integer> assigned = new TreeSet<>();
    private final Set<Integer> paused = new TreeSet<>();
    private final Map<Integer, Long> positions = new TreeMap<>();
    private @Nullable String memberId;
    private int generation = -1;
    private boolean rejoin;
    private boolean connected = true;
    private long lastPollNanos;
    private long lastTimeoutNanos;

    /** What Kafka Streams does when the group changes. Called inside {@code poll}. */
    interface Listener {

        void rebalanceStarted();

        void revoked(Set<Integer> partitions);

        void assigned(Set<Integer> partitions);

        void lost();
    }

    SimulatedConsumer(World world, Cluster cluster, Host host, Plan plan, Listener listener) {
        super("earliest");
        this.world = world;
        this.cluster = cluster;
        this.host = host;
        this.plan = plan;
        this.listener = listener;
        this.lastPollNanos = world.nanos();
    }

    static TopicPartition prompts(int partition) {
        return new TopicPartition(Cluster.PROMPTS, partition);
    }

    private static Set<TopicPartition> prompts(Set<Integer> partitions) {
        return partitions.stream().map(SimulatedConsumer::prompts).collect(Collectors.toSet());
    }

    @Override
    public boolean heartbeats() {
        return connected && host.isReachable(world.nanos());
    }

    @Override
    public UUID process() {
        return host.process();
    }

    @Override
    public long lastPollNanos() {
        return lastPollNanos;
    }

    /** How long the last poll would have waited for records. */
    long lastTimeoutNanos() {
        return lastTimeoutNanos;
    }

    boolean isSettled() {
        return memberId != null
                && cluster.group.has(memberId)
                && !cluster.group.isMeeting()
                && generation == cluster.group.generation()
                && !rejoin;
    }

    @Override
    public synchronized Set<TopicPartition> assignment() {
        return prompts(assigned);
    }

    @Override
    public synchronized Set<TopicPartition> paused() {
        return prompts(paused);
    }

    @Override
    public synchronized void pause(Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            requireAssigned(partition);
            paused.add(partition.partition());
        }
    }

    @Override
    public synchronized void resume(Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            requireAssigned(partition);
            paused.remove(partition.partition());
        }
    }

    private void requireAssigned(TopicPartition partition) {
        if (!assigned.contains(partition.partition())) {
            throw new IllegalStateException("No current assignment for partition " + partition); // as KafkaConsumer
        }
    }

    @Override
    @SuppressWarnings("removal") // there is no other way to make one
    public ConsumerGroupMetadata groupMetadata() {
        return new ConsumerGroupMetadata("app", generation, memberId == null ? "" : memberId, Optional.empty());
    }

    /** Forgets where a partition was read up to: the committed offset is asked for again. */
    void reset(int partition) {
        positions.remove(partition);
    }

    boolean hasPosition(int partition) {
        return positions.containsKey(partition);
    }

    /** Whether a poll would find records. */
    boolean hasFetchable() {
        for (int partition : assigned) {
            Long position = positions.get(partition);
            if (position != null
                    && !paused.contains(partition)
                    && position < cluster.input(partition).end()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
        world.pausePoint(host, "poll");
        lastPollNanos = world.nanos();
        lastTimeoutNanos = timeout.toNanos();
        if (!host.isReachable(world.nanos())) {
            return ConsumerRecords.empty();
        }
        meet();
        world.pausePoint(host, "fetch");
        // a poll that takes long is not one that was missed
        lastPollNanos = world.nanos();
        return fetch();
    }

    /** One turn of the group's protocol. News of it come with heartbeats, so they may come late. */
    private void meet() {
        Group group = cluster.group;
        String id = memberId;
        if (id == null) {
            listener.rebalanceStarted();
            memberId = group.join(null, this, assigned);
        } else if (world.random.oneIn(2)) {
            return;
        } else if (!group.has(id)) {
            world.note(host.name, "no member any more", id);
            loseAll();
        } else if (group.isMeeting()) {
            if (!group.hasJoined(id)) {
                joinAgain(id);
            }
        } else if (generation != group.generation()) {
            synchronize(id);
        } else if (rejoin) {
            joinAgain(id);
        }
    }

    private void joinAgain(String id) {
        rejoin = false;
        listener.rebalanceStarted();
        cluster.group.join(id, this, assigned);
    }

    private void loseAll() {
        memberId = null;
        generation = -1;
        rejoin = false;
        try {
            listener.lost();
        } finally {
            forgetAssignment();
        }
    }

    private void forgetAssignment() {
        assigned.clear();
        paused.clear();
        positions.clear();
    }

    private void synchronize(String id) {
        generation = cluster.group.generation();
        Set<Integer> next = cluster.group.assignedTo(id);
        Set<Integer> revoked = new TreeSet<>(assigned);
        revoked.removeAll(next);
        RuntimeException failure = null;
        if (!revoked.isEmpty()) {
            rejoin = true;
            try {
                listener.revoked(revoked);
            } catch (RuntimeException e) {
                failure = e; // thrown after the rest, as ConsumerCoordinator does
            }
        }
        Set<Integer> added = new TreeSet<>(next);
        added.removeAll(assigned);
        assigned.removeAll(revoked);
        paused.removeAll(revoked);
        revoked.forEach(positions::remove);
        assigned.addAll(added);
        listener.assigned(added);
        if (failure != null) {
            throw failure;
        }
    }

    /** Leaves the group, to join it anew with the next poll. */
    @Override
    public synchronized void unsubscribe() {
        if (memberId != null && host.isReachable(world.nanos())) {
            cluster.group.leave(memberId);
        }
        memberId = null;
        generation = -1;
        rejoin = false;
        forgetAssignment();
    }

    /** Its thread has died without leaving the group. */
    void disconnect() {
        connected = false;
    }

    private ConsumerRecords<byte[], byte[]> fetch() {
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> fetched = new LinkedHashMap<>();
        int room = plan.maxPollRecords();
        for (int partition : assigned) {
            if (!positions.containsKey(partition)) {
                OptionalLong offset = cluster.stableOffset(partition);
                offset.ifPresent(value -> positions.put(partition, value));
            }
            Long position = positions.get(partition);
            if (position == null || paused.contains(partition)) {
                continue;
            }
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            Log log = cluster.input(partition);
            while (room > 0 && position < log.end()) {
                Log.Entry entry = log.at(Math.toIntExact(position));
                records.add(record(partition, position, entry));
                position++;
                room--;
            }
            if (!records.isEmpty()) {
                positions.put(partition, position);
                fetched.put(prompts(partition), records);
            }
        }
        return new ConsumerRecords<>(fetched, Map.of());
    }

    private static ConsumerRecord<byte[], byte[]> record(int partition, long offset, Log.Entry entry) {
        return new ConsumerRecord<>(
                Cluster.PROMPTS,
                partition,
                offset,
                ConsumerRecord.NO_TIMESTAMP,
                TimestampType.NO_TIMESTAMP_TYPE,
                ConsumerRecord.NULL_SIZE,
                ConsumerRecord.NULL_SIZE,
                entry.key(),
                entry.value(),
                new RecordHeaders(entry.headers()),
                Optional.empty());
    }
}
