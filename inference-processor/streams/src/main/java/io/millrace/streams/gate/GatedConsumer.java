package io.millrace.streams.gate;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The main consumer of a stream thread behind the {@link Gate}. The Processor API has no pause, and Streams keeps its own
 * account of which partitions it paused; so the gate pauses only inside {@link #poll} and leaves everything as Streams
 * knows it.
 *
 * <p>It also decides how long a thread may rest. While nothing is pending, until the next record; while something is, until
 * something ends, with a look at Kafka every few milliseconds; and not at all while a commit is owed or records come.
 *
 * <p>Threads: used by its stream thread only, like every consumer.
 */
public final class GatedConsumer extends ForwardingConsumer {

    /** Poll while nothing is pending: {@code poll.ms=1} would keep an idle thread at 7 to 9 % of a core. */
    public static final Duration IDLE_POLL = Duration.ofMillis(250);

    /** Wait for an ending before a poll: as long as a prompt that joins a batch under way may wait without being noticed. */
    public static final Duration PENDING_WAIT = Duration.ofMillis(4);

    private final Gate gate;
    private final BooleanSupplier commitOwed;

    /** What of the bell is heard. */
    private long heard;

    /** Whether the last poll brought records: more may follow. */
    private boolean flowing;

    /** What Streams pauses while a poll is under way; null outside of one. */
    private @Nullable Set<TopicPartition> pausedByStreams;

    /**
     * @param commitOwed whether this thread is about to commit
     */
    public GatedConsumer(Consumer<byte[], byte[]> delegate, Gate gate, BooleanSupplier commitOwed) {
        super(delegate);
        this.gate = gate;
        this.commitOwed = commitOwed;
    }

    @Override
    public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
        Duration rested = rest(timeout);
        ConsumerRecords<byte[], byte[]> records = pollBehindGate(rested);
        flowing = !records.isEmpty();
        return records;
    }

    /** Waits for an ending where there may be one, and answers how long to wait for records. */
    private Duration rest(Duration timeout) {
        if (timeout.isZero() || commitOwed.getAsBoolean()) {
            return timeout;
        }
        if (gate.pending() == 0) {
            return timeout.compareTo(IDLE_POLL) < 0 ? IDLE_POLL : timeout;
        }
        if (!flowing && timeout.compareTo(PENDING_WAIT) < 0) {
            heard = gate.bell().await(heard);
        }
        return timeout;
    }

    private ConsumerRecords<byte[], byte[]> pollBehindGate(Duration timeout) {
        Set<TopicPartition> held = new HashSet<>(delegate.assignment());
        held.removeAll(delegate.paused());
        held.removeIf(partition -> !gate.isClosedFor(partition));
        if (held.isEmpty()) {
            return delegate.poll(timeout);
        }
        Set<TopicPartition> paused = new HashSet<>();
        pausedByStreams = paused;
        delegate.pause(held);
        try {
            return delegate.poll(timeout);
        } finally {
            pausedByStreams = null;
            held.removeAll(paused);
            held.retainAll(delegate.assignment());
            delegate.resume(held);
        }
    }

    /** A rebalance inside the poll may make Streams pause what it was just assigned: that stays paused. */
    @Override
    public void pause(Collection<TopicPartition> partitions) {
        if (pausedByStreams != null) {
            pausedByStreams.addAll(partitions);
        }
        delegate.pause(partitions);
    }
}
