package io.millrace.streams.gate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FencedProducerTest {

    private static final TopicPartition FENCE = new TopicPartition(FencedProducer.fenceTopic("app"), 0);
    private static final TopicPartition INPUT = new TopicPartition("prompts", 3);
    private static final ConsumerGroupMetadata GROUP = new MockConsumer<byte[], byte[]>("earliest").groupMetadata();

    private final MockProducer<byte[], byte[]> kafka =
            new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer());
    private final AtomicLong nanos = new AtomicLong();
    private final List<Long> commits = new ArrayList<>();
    private final CommitPacer pacer = new CommitPacer(nanos::get, commits::add);
    private final FencedProducer producer = new FencedProducer(kafka, FENCE, pacer);

    @BeforeEach
    void begin() {
        producer.initTransactions();
        producer.beginTransaction();
    }

    @Test
    void shouldCarryTheFenceWhereStreamsSendsNoOffsetAtAll() {
        sendRecord();
        producer.sendOffsetsToTransaction(Map.of(), GROUP);
        producer.commitTransaction();

        assertThat(kafka.consumerGroupOffsetsHistory())
                .containsExactly(Map.of(GROUP.groupId(), Map.of(FENCE, new OffsetAndMetadata(0))));
    }

    @Test
    void shouldLeaveTheOffsetsOfStreamsAsTheyAre() {
        producer.sendOffsetsToTransaction(Map.of(INPUT, new OffsetAndMetadata(42)), GROUP);
        producer.commitTransaction();

        assertThat(kafka.consumerGroupOffsetsHistory().getFirst().get(GROUP.groupId()))
                .containsEntry(INPUT, new OffsetAndMetadata(42))
                .containsEntry(FENCE, new OffsetAndMetadata(0));
    }

    @Test
    void shouldLeaveOutATransactionThatSaysNothing() {
        producer.sendOffsetsToTransaction(Map.of(INPUT, new OffsetAndMetadata(42)), GROUP);
        producer.commitTransaction();
        producer.beginTransaction();
        producer.sendOffsetsToTransaction(Map.of(INPUT, new OffsetAndMetadata(42)), GROUP);
        producer.commitTransaction();
        producer.beginTransaction();
        producer.sendOffsetsToTransaction(Map.of(), GROUP);
        producer.commitTransaction();

        assertThat(kafka.commitCount()).isEqualTo(1);
        assertThat(commits).hasSize(1);
        assertThat(kafka.transactionInFlight()).isFalse();
    }

    @Test
    void shouldSendOffsetsAgainTogetherWithARecord() {
        producer.sendOffsetsToTransaction(Map.of(INPUT, new OffsetAndMetadata(42)), GROUP);
        producer.commitTransaction();
        producer.beginTransaction();
        sendRecord();
        producer.sendOffsetsToTransaction(Map.of(INPUT, new OffsetAndMetadata(42)), GROUP);
        producer.commitTransaction();

        assertThat(kafka.history()).hasSize(1);
        assertThat(kafka.consumerGroupOffsetsHistory())
                .hasSize(2)
                .allSatisfy(offsets ->
                        assertThat(offsets.get(GROUP.groupId())).containsEntry(FENCE, new OffsetAndMetadata(0)));
    }

    @Test
    void shouldSendOffsetsAgainWhoseTransactionWasAborted() {
        producer.sendOffsetsToTransaction(Map.of(INPUT, new OffsetAndMetadata(42)), GROUP);
        producer.abortTransaction();
        producer.beginTransaction();
        producer.sendOffsetsToTransaction(Map.of(INPUT, new OffsetAndMetadata(42)), GROUP);
        producer.commitTransaction();

        assertThat(kafka.commitCount()).isEqualTo(1);
        assertThat(kafka.consumerGroupOffsetsHistory().getFirst().get(GROUP.groupId()))
                .containsEntry(INPUT, new OffsetAndMetadata(42));
    }

    @Test
    void shouldAbortWhatHasBegunOnly() {
        producer.abortTransaction();
        assertThat(kafka.transactionAborted()).isFalse();

        producer.beginTransaction();
        sendRecord();
        producer.abortTransaction();
        assertThat(kafka.transactionAborted()).isTrue();
    }

    private void sendRecord() {
        var _ = producer.send(new ProducerRecord<>("results", new byte[0], new byte[0]), (metadata, e) -> {});
    }

    @Test
    void shouldKeepCommitsApartByTheirEnd() {
        assertThat(pacer.mayCommit()).isTrue();

        sendRecord();
        producer.sendOffsetsToTransaction(Map.of(), GROUP);
        producer.commitTransaction();
        assertThat(pacer.mayCommit()).isFalse();

        nanos.addAndGet(CommitPacer.MIN_GAP_NANOS - 1);
        assertThat(pacer.mayCommit()).isFalse();
        nanos.addAndGet(1);
        assertThat(pacer.mayCommit()).isTrue();
        assertThat(commits).containsExactly(0L);
    }

    @Test
    void shouldKnowWhetherATaskOfThisThreadOwesACommit() throws InterruptedException {
        pacer.changeOwed(1);
        assertThat(pacer.isCommitOwed()).isTrue();

        List<Boolean> seenByOther = new ArrayList<>();
        Thread other = new Thread(() -> seenByOther.add(pacer.isCommitOwed()));
        other.start();
        other.join();
        assertThat(seenByOther).containsExactly(false);

        pacer.changeOwed(-1);
        assertThat(pacer.isCommitOwed()).isFalse();
    }
}
