package io.millrace.streams.gate;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GatedConsumerTest {

    private static final TopicPartition P0 = new TopicPartition("prompts", 0);
    private static final TopicPartition P1 = new TopicPartition("prompts", 1);
    private static final Closure ENGINE = new Closure(Closure.Reason.ENGINE, "m");

    private final RecordingConsumer kafka = new RecordingConsumer();
    private final Gate gate = new Gate(new GateLimits(100, 2, 1_000_000));
    private final AtomicBoolean commitOwed = new AtomicBoolean();
    private final GatedConsumer consumer = new GatedConsumer(kafka, gate, commitOwed::get);

    @BeforeEach
    void assignTwoPartitions() {
        kafka.assign(List.of(P0, P1));
        kafka.updateBeginningOffsets(Map.of(P0, 0L, P1, 0L));
        kafka.addRecord(new ConsumerRecord<>("prompts", 0, 0, new byte[0], new byte[0]));
        kafka.addRecord(new ConsumerRecord<>("prompts", 1, 0, new byte[0], new byte[0]));
    }

    @Test
    void shouldFetchWhileOpen() {
        assertThat(consumer.poll(Duration.ofMillis(1)).count()).isEqualTo(2);
        assertThat(kafka.pausedInPoll).isEmpty();
    }

    @Test
    void shouldFetchNothingWhileClosedAndLeaveNothingPaused() {
        gate.close(ENGINE);

        assertThat(consumer.poll(Duration.ofMillis(1)).count()).isZero();
        assertThat(kafka.pausedInPoll).containsExactlyInAnyOrder(P0, P1);
        assertThat(kafka.paused()).isEmpty();

        gate.open(ENGINE);
        assertThat(consumer.poll(Duration.ofMillis(1)).count()).isEqualTo(2);
    }

    @Test
    void shouldHoldBackOnlyThePartitionThatIsFull() {
        Gate.Load load = gate.register(P0);
        load.add(1);
        load.add(1);

        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(1));

        assertThat(records.partitions()).containsExactly(P1);
    }

    @Test
    void shouldLeavePausedWhatStreamsHasPausedBefore() {
        consumer.pause(List.of(P1));
        gate.close(ENGINE);

        consumer.poll(Duration.ofMillis(1));

        assertThat(kafka.paused()).containsExactly(P1);
    }

    @Test
    void shouldLeavePausedWhatStreamsPausesDuringThePoll() {
        gate.close(ENGINE);
        kafka.during(() -> consumer.pause(List.of(P0)));

        consumer.poll(Duration.ofMillis(1));

        assertThat(kafka.paused()).containsExactly(P0);
    }

    @Test
    void shouldNotResumeWhatWasRevokedDuringThePoll() {
        gate.close(ENGINE);
        kafka.during(() -> kafka.assign(List.of(P1)));

        consumer.poll(Duration.ofMillis(1));

        assertThat(kafka.assignment()).containsExactly(P1);
        assertThat(kafka.resumed).containsExactly(P1);
    }

    @Test
    void shouldPollLongWhileNothingIsPendingAndShortOtherwise() {
        consumer.poll(Duration.ofMillis(1));
        assertThat(kafka.lastTimeout).isEqualTo(GatedConsumer.IDLE_POLL);

        commitOwed.set(true);
        consumer.poll(Duration.ofMillis(1));
        assertThat(kafka.lastTimeout).isEqualTo(Duration.ofMillis(1));

        commitOwed.set(false);
        gate.register(P0).add(1);
        consumer.poll(Duration.ofMillis(1));
        assertThat(kafka.lastTimeout).isEqualTo(Duration.ofMillis(1));
    }

    @Test
    void shouldNotStretchAPollThatMustNotWaitNorShortenALongOne() {
        consumer.poll(Duration.ZERO);
        assertThat(kafka.lastTimeout).isZero();

        consumer.poll(Duration.ofSeconds(1));
        assertThat(kafka.lastTimeout).isEqualTo(Duration.ofSeconds(1));
    }

    /** Sees what a poll sees, and lets something happen in its midst, as a rebalance does. */
    private static final class RecordingConsumer extends MockConsumer<byte[], byte[]> {
        private Set<TopicPartition> pausedInPoll = Set.of();
        private Set<TopicPartition> resumed = Set.of();
        private Duration lastTimeout = Duration.ZERO;
        private Runnable midst = () -> {};

        RecordingConsumer() {
            super("earliest");
        }

        void during(Runnable event) {
            midst = event;
        }

        @Override
        public synchronized void resume(Collection<TopicPartition> partitions) {
            resumed = Set.copyOf(partitions);
            super.resume(partitions);
        }

        @Override
        public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
            pausedInPoll = Set.copyOf(paused());
            lastTimeout = timeout;
            midst.run();
            return super.poll(Duration.ZERO);
        }
    }
}
