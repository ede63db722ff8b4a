package io.millrace.streams.topology;

import static io.millrace.streams.topology.TopologyHarness.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.Rejection;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.pending.Payload;
import io.millrace.streams.pending.PendingCodec;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PendingPrompt;
import io.millrace.streams.pending.PendingStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One task from {@code init()} to {@code close()}: recovery, commits, punctuation. */
class PromptProcessorTest {

    private static final int PARTITION = 3;
    private static final long NOW_MS = 1_700_000_100_000L;

    private final TopologyHarness shared = new TopologyHarness();
    private final MockProcessorContext<OutKey, byte[]> context;
    private final KeyValueStore<Bytes, byte[]> store = Stores.keyValueStoreBuilder(
                    Stores.inMemoryKeyValueStore(PendingStore.NAME), Serdes.Bytes(), Serdes.ByteArray())
            .withLoggingDisabled()
            .build();
    private PromptProcessor processor = new PromptProcessor(shared.parts());

    PromptProcessorTest(@TempDir java.io.File directory) {
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        context = new MockProcessorContext<>(config, new TaskId(0, PARTITION), directory);
    }

    @BeforeEach
    void prepare() {
        store.init(context.getStateStoreContext(), store);
        context.addStateStore(store);
        context.setCurrentSystemTimeMs(NOW_MS);
        context.setRecordMetadata(TopologyHarness.PROMPTS, PARTITION, 0);
    }

    @AfterEach
    void close() {
        shared.close();
    }

    @Test
    void shouldSubmitWhatTheRestoredStoreHoldsAndCountTheRecovery() {
        shared.engine.holding(text -> true);
        restore(5, "left");

        processor.init(context);
        assertThat(shared.gate.pending()).as("restored prompts count").isEqualTo(1);
        assertThat(shared.engine.submitted())
                .as("not before the first transaction")
                .isEmpty();

        punctuate();
        assertThat(shared.engine.submitted()).hasSize(1);
        assertThat(storedPrompt(5).recoveries()).isEqualTo(1);
        assertThat(context.committed()).as("the count is committed").isTrue();

        shared.engine.release();
        punctuate();
        assertThat(context.forwarded())
                .extracting(forward -> forward.childName().orElseThrow())
                .containsExactly("results", "metrics");
        assertThat(size()).isZero();
    }

    @Test
    void shouldTakeRestoredPromptsBeforeNewOnes() {
        restore(5, "left");
        restore(6, "left too");

        processor.init(context);
        process(7, "new");

        assertThat(shared.engine.submitted())
                .extracting(io.millrace.streams.testing.TestEngine::text)
                .containsExactly("left", "left too", "new");
    }

    @Test
    void shouldCountQueueTimeFromTheFirstAdmission() {
        restore(5, "left");

        processor.init(context);
        punctuate();

        long waited = shared.nanos.get() - shared.engine.submitted().getFirst().admittedNanos();
        assertThat(waited).isGreaterThanOrEqualTo(TimeUnit.SECONDS.toNanos(90));
    }

    @Test
    void shouldNotStartOnAStoreThatANewerReleaseWrote() {
        store.put(new PendingKey(TopologyHarness.TOPIC_ID, PARTITION, 5).encode(), new byte[] {9, 9});

        assertThatThrownBy(() -> processor.init(context))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("pending entry format=9, expected=1");
    }

    @Test
    void shouldGoOnWithWhatAnEarlierLifeLeftInTheEngine() {
        shared.engine.holding(text -> true);
        processor.init(context);
        process(0, "late");
        processor.close();
        assertThat(shared.gate.pending()).isZero();
        assertThat(shared.engine.priorities().values())
                .as("first to be preempted")
                .containsExactly(Integer.MAX_VALUE);

        processor = new PromptProcessor(shared.parts());
        processor.init(context);
        assertThat(shared.gate.pending()).isEqualTo(1);
        assertThat(shared.engine.priorities().values()).containsExactly(0);
        punctuate();
        assertThat(shared.engine.submitted()).as("generated once").hasSize(1);
        assertThat(storedPrompt(0).recoveries()).as("the process has not died").isZero();

        shared.engine.release();
        punctuate();
        assertThat(context.forwarded()).as("a result and its metrics").hasSize(2);
        assertThat(size()).isZero();
        assertThat(shared.gate.pending()).isZero();
    }

    @Test
    void shouldForwardNothingForATaskThatWasClosed() {
        shared.engine.holding(text -> true);
        processor.init(context);
        process(0, "late");
        processor.close();

        shared.runLaterTasks();
        assertThat(shared.engine.cancelled()).as("its grace is over").hasSize(1);

        processor = new PromptProcessor(shared.parts());
        processor.init(context);
        punctuate();
        assertThat(shared.engine.submitted())
                .extracting(io.millrace.engine.InferenceRequest::id)
                .as("two lives, two ids")
                .doesNotHaveDuplicates()
                .hasSize(2);
        assertThat(storedPrompt(0).recoveries()).isEqualTo(1);

        shared.engine.release();
        punctuate();
        assertThat(context.forwarded()).hasSize(2);
        assertThat(size()).isZero();
    }

    @Test
    void shouldAnswerOnceThoughTheEngineCompletesTwice() {
        shared.engine.completingTwice();
        processor.init(context);
        process(0, "a");
        punctuate();

        assertThat(context.forwarded()).as("a result and its metrics").hasSize(2);
        assertThat(shared.gate.pending()).isZero();
    }

    @Test
    void shouldPunctuateOnlyWhileSomethingIsPending() {
        shared.engine.holding(text -> true);
        processor.init(context);
        assertThat(activePunctuators()).isEmpty();

        process(0, "a");
        process(1, "b");
        assertThat(activePunctuators()).hasSize(1);

        shared.engine.release();
        punctuate();
        assertThat(activePunctuators()).isEmpty();

        process(2, "c");
        assertThat(context.scheduledPunctuators()).as("answered at once").hasSize(2);
    }

    @Test
    void shouldKeepCommitsApartAndForgetNone() {
        processor.init(context);
        shared.pacer.timed(() -> {});
        process(0, "a");

        assertThat(context.forwarded()).hasSize(2);
        assertThat(context.committed()).as("too soon after the last").isFalse();
        assertThat(shared.pacer.isCommitOwed()).isTrue();
        assertThat(activePunctuators()).as("someone must ask for it").hasSize(1);

        shared.nanos.addAndGet(CommitPacer.MIN_GAP_NANOS);
        punctuate();
        assertThat(context.committed()).isTrue();
        assertThat(shared.pacer.isCommitOwed()).isFalse();
        assertThat(activePunctuators()).isEmpty();
    }

    @Test
    void shouldOpenTheGateWhenWhoeverWaitedForTheEngineIsGone() {
        shared.engine.refuse(new Rejection(Rejection.Reason.UNAVAILABLE, "down"));
        processor.init(context);
        process(0, "a");
        assertThat(shared.gate.closures()).containsExactly(new Closure(Closure.Reason.ENGINE, "echo"));

        processor.close();
        shared.runLaterTasks();

        assertThat(shared.gate.isClosed()).as("the next prompt finds out").isFalse();
    }

    @Test
    void shouldSendOutputsToThePartitionOfTheInput() {
        processor.init(context);
        process(0, "a");

        OutKey key = context.forwarded().getFirst().record().key();
        assertThat(new SamePartition().partitions("results", key, new byte[0], 2))
                .contains(java.util.Set.of(1));
        assertThat(new SamePartition().partitions("results", key, new byte[0], 16))
                .contains(java.util.Set.of(3));
    }

    private void restore(long offset, String text) {
        PendingPrompt prompt = PendingPrompt.admitted(
                utf8("k"), new Payload.Raw(utf8(json(text))), List.of(), NOW_MS - 90_000, NOW_MS - 90_000);
        store.put(new PendingKey(TopologyHarness.TOPIC_ID, PARTITION, offset).encode(), PendingCodec.encode(prompt));
    }

    private void process(long offset, String text) {
        context.setRecordMetadata(TopologyHarness.PROMPTS, PARTITION, offset);
        processor.process(new Record<>(utf8("k"), utf8(json(text)), NOW_MS, new RecordHeaders()));
    }

    private void punctuate() {
        shared.nanos.addAndGet(CommitPacer.MIN_GAP_NANOS);
        activePunctuators().forEach(punctuator -> punctuator.getPunctuator().punctuate(NOW_MS));
    }

    private List<MockProcessorContext.CapturedPunctuator> activePunctuators() {
        return new ArrayList<>(context.scheduledPunctuators().stream()
                .filter(punctuator -> !punctuator.cancelled())
                .toList());
    }

    private PendingPrompt storedPrompt(long offset) {
        return PendingCodec.decode(store.get(new PendingKey(TopologyHarness.TOPIC_ID, PARTITION, offset).encode()));
    }

    private int size() {
        List<KeyValue<Bytes, byte[]>> entries = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> all = store.all()) {
            all.forEachRemaining(entries::add);
        }
        return entries.size();
    }

    private static String json(String text) {
        return "{\"prompt\":\"" + text + "\"}";
    }
}
