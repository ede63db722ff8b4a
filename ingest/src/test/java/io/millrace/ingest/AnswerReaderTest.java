package io.millrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AnswerReaderTest {

    private static final TopicPartition FIRST = new TopicPartition("results", 0);
    private static final TopicPartition SECOND = new TopicPartition("results", 1);

    private final ScriptedConsumer consumer = new ScriptedConsumer();
    private final Heard heard = new Heard();

    @Test
    void shouldAskForWhatItPromises() {
        Map<String, Object> callers = Map.of(
                "group.id",
                "mine",
                "isolation.level",
                "read_uncommitted",
                "auto.offset.reset",
                "latest",
                "enable.auto.commit",
                "true",
                "metadata.max.age.ms",
                "7");
        assertThat(AnswerReader.properties(callers))
                .isEqualTo(Map.of(
                        "isolation.level",
                        "read_committed",
                        "auto.offset.reset",
                        "earliest",
                        "enable.auto.commit",
                        false,
                        "allow.auto.create.topics",
                        false,
                        "metadata.max.age.ms",
                        "7"));
    }

    @Test
    void shouldReadWhatComesAfterItsStartThoughItHasNotPolledYet() throws Exception {
        AnswerReader reader = start();
        consumer.updateEndOffsets(Map.of(FIRST, 8L));
        consumer.addRecord(new ConsumerRecord<>("results", 0, 3, new byte[0], new byte[0]));
        consumer.addRecord(new ConsumerRecord<>("results", 0, 7, new byte[0], new byte[0]));
        consumer.go.countDown();

        assertThat(heard.records.poll(10, TimeUnit.SECONDS))
                .extracting(ConsumerRecord::offset)
                .isEqualTo(7L);
        reader.stop();
        reader.join(Duration.ofSeconds(10));
        assertThat(consumer.closed()).isTrue();
        assertThat(heard.end).isNotDone();
        assertThat(consumer.isPolledByDaemon)
                .as("a program that forgets to close can end")
                .isTrue();
    }

    /** Here the brokers do not say at first which partitions there are. */
    @Test
    void shouldReadPartitionsThatAreAddedFromTheirBeginning() throws Exception {
        AnswerReader reader = start();
        consumer.unanswered.set(1);
        consumer.partitions(2);
        consumer.updateEndOffsets(Map.of(SECOND, 1L));
        consumer.go.countDown();
        while (!consumer.assignment().contains(SECOND)) {
            assertThat(heard.times.poll(10, TimeUnit.SECONDS)).isNotNull();
        }
        consumer.addRecord(new ConsumerRecord<>("results", 1, 0, new byte[0], new byte[0]));
        consumer.addRecord(new ConsumerRecord<>("results", 0, 7, new byte[0], new byte[0]));

        List<Integer> partitions = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            partitions.add(heard.records.poll(10, TimeUnit.SECONDS).partition());
        }
        assertThat(partitions).containsExactlyInAnyOrder(0, 1);
        assertThat(consumer.unanswered).hasNegativeValue();
        reader.stop();
        reader.join(Duration.ofSeconds(10));
    }

    @Test
    void shouldTellWhyItCannotGoOn() throws Exception {
        var cause = new AuthorizationException("not authorized");
        consumer.setPollException(cause);
        start();
        consumer.go.countDown();

        assertThat(heard.end.get(10, TimeUnit.SECONDS)).isSameAs(cause);
    }

    @Test
    void shouldTellThatItBroke() throws Exception {
        consumer.error = new StackOverflowError("too deep");
        start();
        consumer.go.countDown();

        assertThat(heard.end.get(10, TimeUnit.SECONDS))
                .hasMessage("answers cannot be read any more: java.lang.StackOverflowError: too deep")
                .hasCauseInstanceOf(StackOverflowError.class);
    }

    /** At offset 7, with one partition. */
    private AnswerReader start() {
        consumer.partitions(1);
        consumer.updateBeginningOffsets(Map.of(FIRST, 0L, SECOND, 0L));
        consumer.updateEndOffsets(Map.of(FIRST, 7L));
        return AnswerReader.start(consumer, List.of("results"), "results", heard);
    }

    private static final class ScriptedConsumer extends MockConsumer<byte[], byte[]> {

        private final CountDownLatch go = new CountDownLatch(1);

        /** Looks at the partitions that time out. */
        private final AtomicInteger unanswered = new AtomicInteger();

        private volatile @Nullable Error error;
        private volatile boolean isPolledByDaemon;

        ScriptedConsumer() {
            super("earliest");
        }

        private void partitions(int count) {
            Node node = new Node(0, "here", 1);
            Node[] nodes = {node};
            List<PartitionInfo> all = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                all.add(new PartitionInfo("results", i, node, nodes, nodes));
            }
            updatePartitions("results", all);
        }

        @Override
        @SuppressWarnings("UnsynchronizedOverridesSynchronized") // the test goes on while it waits
        public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
            isPolledByDaemon = Thread.currentThread().isDaemon();
            try {
                go.await();
            } catch (InterruptedException e) {
                throw new KafkaException(e);
            }
            Error now = error;
            if (now != null) {
                throw now;
            }
            return super.poll(timeout);
        }

        @Override
        public List<PartitionInfo> partitionsFor(String topic, Duration timeout) {
            if (unanswered.getAndDecrement() > 0) {
                throw new TimeoutException("no broker answers");
            }
            return super.partitionsFor(topic, timeout);
        }
    }

    private static final class Heard implements AnswerReader.Listener {

        private final LinkedBlockingQueue<ConsumerRecord<byte[], byte[]>> records = new LinkedBlockingQueue<>();
        private final LinkedBlockingQueue<Long> times = new LinkedBlockingQueue<>(1);
        private final CompletableFuture<RuntimeException> end = new CompletableFuture<>();

        @Override
        public void onRecord(ConsumerRecord<byte[], byte[]> record) {
            records.add(record);
        }

        @Override
        public void onTime(long nowNanos) {
            var _ = times.offer(nowNanos);
        }

        @Override
        public void onEnd(RuntimeException cause) {
            end.complete(cause);
        }
    }
}
