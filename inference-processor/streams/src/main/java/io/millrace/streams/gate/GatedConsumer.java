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
 * <p>Threads: used by its stream thread only, like every consumer.
 */
public final class GatedConsumer extends ForwardingConsumer {

    /** Poll while nothing is pending: {@code poll.ms=1} would keep an idle thread at 7 to 9 % of a core. */
    public static final Duration IDLE_POLL = Duration.ofMillis(100);

    private final Gate gate;
    private final BooleanSupplier idle;

    /** What Streams pauses while a poll is under way; null outside of one. */
    private @Nullable Set<TopicPartition> pausedByStreams;

    /**
     * @param idle whether this thread has nothing that must be looked at before the next record comes
     */
    public GatedConsumer(Consumer<byte[], byte[]> delegate, Gate gate, BooleanSupplier idle) {
        super(delegate);
        this.gate = gate;
        this.idle = idle;
    }

    @Override
    public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
        Set<TopicPartition> held = new HashSet<>(delegate.assignment());
        held.removeAll(delegate.paused());
        held.removeIf(partition -> !gate.isClosedFor(partition));
        if (held.isEmpty()) {
            return delegate.poll(stretched(timeout));
        }
        Set<TopicPartition> paused = new HashSet<>();
        pausedByStreams = paused;
        delegate.pause(held);
        try {
            return delegate.poll(stretched(timeout));
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

    private Duration stretched(Duration timeout) {
        return idle.getAsBoolean() && !timeout.isZero() && timeout.compareTo(IDLE_POLL) < 0 ? IDLE_POLL : timeout;
    }
}
