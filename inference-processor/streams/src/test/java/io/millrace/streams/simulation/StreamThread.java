package io.millrace.streams.simulation;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * A stream thread as Kafka Streams 4.3.1 runs it under exactly-once, with one transaction for all its tasks:
 *
 * <pre>
 *   POLL ► PROCESS… ► PUNCTUATE ► COMMIT (flush) ► OFFSETS ► END ► …
 * </pre>
 *
 * Each phase is a step, so that anything may happen between two; more may happen inside them.
 */
final class StreamThread extends Actor implements SimulatedConsumer.Listener {

    private static final int BUFFERED_RECORDS = 4;

    /** News of the group must not wait for longer, since sessions are short here. */
    private static final long MOST_IDLE_NANOS = 15_000_000;

    private final Instance instance;
    private final World world;
    private final Cluster cluster;
    private final Plan plan;
    private final String transactionalId;
    private final SimulatedConsumer consumer;
    private final Consumer<byte[], byte[]> gatedConsumer; // the product's, around it
    private final Map<Integer, Task> tasks = new TreeMap<>();
    private final Set<Integer> full = new TreeSet<>(); // paused because their queue is full
    private SimulatedProducer producer;
    private Producer<byte[], byte[]> fencedProducer; // the product's, around it
    private Phase phase = Phase.POLL;
    private boolean rebalancing;
    private boolean dead;
    private long lastCommitNanos;
    private long idleUntilNanos;
    private int rounds;
    private boolean worked;

    private enum Phase {
        POLL,
        PROCESS,
        PUNCTUATE,
        COMMIT,
        OFFSETS,
        END
    }

    StreamThread(Instance instance, int number) {
        super(instance.name + "-stream" + number, instance);
        this.instance = instance;
        this.world = instance.world;
        this.cluster = instance.cluster;
        this.plan = instance.plan;
        this.transactionalId = "app-" + instance.name + "-" + number;
        this.consumer = new SimulatedConsumer(world, cluster, instance, plan, this);
        this.gatedConsumer = instance.clients.wrap(consumer);
        this.producer = instance.newProducer(transactionalId);
        this.fencedProducer = instance.clients.wrap(producer);
    }

    boolean isDead() {
        return dead;
    }

    boolean isSettled() {
        return !dead && consumer.isSettled() && tasks.values().stream().allMatch(Task::isSettled);
    }

    SimulatedProducer producer() {
        return producer;
    }

    @Override
    long wakeAtNanos() {
        if (dead) {
            return NEVER;
        }
        return phase == Phase.POLL && !consumer.hasFetchable() ? idleUntilNanos : 0;
    }

    @Override
    void step() {
        try {
            switch (phase) {
                case POLL -> pollOrShutDown();
                case PROCESS -> process();
                case PUNCTUATE -> punctuate();
                case COMMIT -> prepareCommit();
                case OFFSETS -> sendOffsets();
                case END -> endTransaction();
            }
        } catch (ProducerFencedException | CommitFailedException e) {
            migrated();
        } catch (TimeoutException e) {
            commitTimedOut();
        } catch (SimulatedProducer.AnswerOwed e) {
            die();
        }
    }

    // --- the loop

    private void pollOrShutDown() {
        if (instance.shallEnd()) {
            shutDown();
            instance.exit();
        } else {
            poll();
        }
    }

    private void poll() {
        resumeWithRoom();
        completeRestorations();
        ConsumerRecords<byte[], byte[]> records = gatedConsumer.poll(Duration.ofNanos(plan.pollNanos()));
        for (ConsumerRecord<byte[], byte[]> record : records) {
            Task task = Objects.requireNonNull(tasks.get(record.partition()), "a record of no task");
            task.queue.addLast(record);
        }
        for (Task task : tasks.values()) {
            if (task.queue.size() > BUFFERED_RECORDS && full.add(task.partition)) {
                gatedConsumer.pause(List.of(SimulatedConsumer.prompts(task.partition)));
            }
        }
        worked = !records.isEmpty();
        rounds = world.random.between(1, 4);
        phase = Phase.PROCESS;
    }

    private void resumeWithRoom() {
        for (Task task : tasks.values()) {
            if (task.queue.size() <= BUFFERED_RECORDS && full.remove(task.partition)) {
                gatedConsumer.resume(List.of(SimulatedConsumer.prompts(task.partition)));
            }
        }
    }

    private void process() {
        boolean processed = false;
        for (Task task : List.copyOf(tasks.values())) {
            if (task.state == Task.State.RUNNING) {
                processed |= task.processOne();
            }
        }
        worked |= processed;
        if (!processed || --rounds <= 0) {
            phase = Phase.PUNCTUATE;
        }
    }

    private void punctuate() {
        for (Task task : List.copyOf(tasks.values())) {
            if (task.state == Task.State.RUNNING) {
                task.punctuate();
            }
        }
        phase = Phase.COMMIT;
    }

    private void prepareCommit() {
        if (!rebalancing && isCommitDue()) {
            lastCommitNanos = world.nanos();
            producer.flush();
            phase = Phase.OFFSETS;
        } else {
            pollNext();
        }
    }

    private boolean isCommitDue() {
        boolean needed = false;
        for (Task task : tasks.values()) {
            needed |=
                    task.commitNeeded && (task.commitRequested || world.nanos() - lastCommitNanos > plan.commitNanos());
        }
        return needed;
    }

    private void sendOffsets() {
        Map<TopicPartition, OffsetAndMetadata> offsets = offsets();
        if (offsets.isEmpty() && !producer.isInTransaction()) {
            tasks.values().forEach(Task::committed);
            pollNext();
            return;
        }
        fencedProducer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
        phase = Phase.END;
    }

    private Map<TopicPartition, OffsetAndMetadata> offsets() {
        Map<TopicPartition, OffsetAndMetadata> offsets = new LinkedHashMap<>();
        for (Task task : tasks.values()) {
            if (task.commitNeeded) {
                task.consumed()
                        .ifPresent(offset ->
                                offsets.put(SimulatedConsumer.prompts(task.partition), new OffsetAndMetadata(offset)));
            }
        }
        return offsets;
    }

    private void endTransaction() {
        fencedProducer.commitTransaction();
        tasks.values().forEach(Task::committed);
        pollNext();
    }

    private void pollNext() {
        phase = Phase.POLL;
        idleUntilNanos = worked ? 0 : world.nanos() + Math.min(consumer.lastTimeoutNanos(), MOST_IDLE_NANOS);
    }

    void send(ProducerRecord<byte[], byte[]> sent) {
        var _ = fencedProducer.send(sent);
    }

    // --- restoration: in Streams a thread of its own reads; what matters is how far, and when it is done

    private void completeRestorations() {
        for (Task task : List.copyOf(tasks.values())) {
            if (!instance.isReachable(world.nanos())) {
                return;
            }
            if (task.state == Task.State.CREATED && world.random.oneIn(2)) {
                producer.initTransactions();
                task.beginRestoration(cluster);
            } else if (task.state == Task.State.RESTORING && task.canRestore(cluster) && world.random.oneIn(2)) {
                complete(task);
            }
        }
    }

    private void complete(Task task) {
        OptionalLong offset = cluster.stableOffset(task.partition);
        if (offset.isEmpty()) {
            return; // asked again later
        }
        if (task.resetsOffset) {
            consumer.reset(task.partition);
            task.resetsOffset = false;
        }
        world.note(name, "restored", task.partition);
        task.start(cluster);
        gatedConsumer.resume(List.of(SimulatedConsumer.prompts(task.partition)));
    }

    // --- the group, inside poll

    @Override
    public void rebalanceStarted() {
        rebalancing = true;
    }

    @Override
    public void revoked(Set<Integer> partitions) {
        world.note(name, "revoked", new TreeSet<>(partitions));
        boolean clean = false;
        try {
            if (partitions.stream().anyMatch(partition -> task(partition).commitNeeded)) {
                commitAll();
            }
            clean = true;
        } catch (TimeoutException e) {
            revive(partitions);
        } finally {
            if (instance.isAlive()) {
                for (int partition : partitions) {
                    close(task(partition), clean);
                    tasks.remove(partition);
                    full.remove(partition);
                }
            }
        }
    }

    private Task task(int partition) {
        return Objects.requireNonNull(tasks.get(partition), "no task");
    }

    private void commitAll() {
        producer.flush();
        Map<TopicPartition, OffsetAndMetadata> offsets = offsets();
        if (!offsets.isEmpty() || producer.isInTransaction()) {
            fencedProducer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
            fencedProducer.commitTransaction();
        }
        tasks.values().forEach(Task::committed);
    }

    @Override
    public void assigned(Set<Integer> partitions) {
        for (int partition : partitions) {
            tasks.put(partition, new Task(instance, this, partition));
            gatedConsumer.pause(List.of(SimulatedConsumer.prompts(partition)));
        }
        rebalancing = false;
    }

    @Override
    public void lost() {
        loseAll();
    }

    // --- when something goes wrong

    /** Another has taken over: all tasks are closed as they are, and the thread joins anew. */
    private void migrated() {
        world.note(name, "migrated", partitions());
        loseAll();
        consumer.unsubscribe();
        phase = Phase.POLL;
    }

    private void loseAll() {
        closeAllDirty();
        rebalancing = false;
        producer = instance.newProducer(transactionalId);
        fencedProducer = instance.clients.wrap(producer);
    }

    private void closeAllDirty() {
        for (Task task : List.copyOf(tasks.values())) {
            close(task, false);
        }
        tasks.clear();
        full.clear();
    }

    private void close(Task task, boolean clean) {
        world.pausePoint(instance, "close");
        task.close();
        if (!clean) {
            try {
                producer.abortTransaction();
            } catch (SimulatedProducer.AnswerOwed e) {
                // closing goes on (TaskManager.executeAndMaybeSwallow)
            }
        }
    }

    /** Streams closes the tasks whose offsets were in the commit; others it commits again, of which the thread dies. */
    private void commitTimedOut() {
        phase = Phase.POLL;
        boolean all = tasks.values().stream()
                .filter(task -> task.commitNeeded)
                .allMatch(task -> task.consumed().isPresent());
        if (all) {
            revive(Set.of());
        } else {
            die();
        }
    }

    /** The tasks begin anew where they are, from what was committed. */
    private void revive(Set<Integer> except) {
        for (Task task : List.copyOf(tasks.values())) {
            if (!except.contains(task.partition)) {
                close(task, false);
                Task revived = new Task(instance, this, task.partition);
                revived.resetsOffset = true;
                tasks.put(task.partition, revived);
                full.remove(task.partition);
                gatedConsumer.pause(List.of(SimulatedConsumer.prompts(task.partition)));
            }
        }
        world.note(name, "revived", partitions());
    }

    /** The thread ends, its member is not heard of again, and the application starts another. */
    private void die() {
        world.note(name, "died", partitions());
        closeAllDirty();
        consumer.disconnect();
        dead = true;
        instance.replaceThread();
    }

    /** Closes in good order: what is done is committed, and the group is left. */
    void shutDown() {
        boolean clean = false;
        try {
            if (tasks.values().stream().anyMatch(task -> task.commitNeeded)) {
                commitAll();
            }
            clean = true;
        } catch (ProducerFencedException | CommitFailedException | TimeoutException | SimulatedProducer.AnswerOwed e) {
            world.note(name, "not committed", partitions());
        }
        for (Task task : List.copyOf(tasks.values())) {
            close(task, clean);
        }
        tasks.clear();
        consumer.unsubscribe();
        dead = true;
    }

    Set<Integer> partitions() {
        return new TreeSet<>(tasks.keySet());
    }
}
