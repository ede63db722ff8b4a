package io.millrace.streams.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.devstack.MatrixRow;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.pending.Payload;
import io.millrace.streams.pending.PendingCodec;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PendingPrompt;
import io.millrace.streams.pending.PendingStore;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The machine's clock is set while prompts are pending; the clock that only runs forward is not. */
@MatrixRow("clock jump")
class ClockJumpTest {

    private static final int PARTITION = 3;
    private static final long NOW_MS = 1_700_000_100_000L;
    private static final long DAY_MS = Duration.ofDays(1).toMillis();

    private final TopologyHarness shared = new TopologyHarness();
    private final MockProcessorContext<OutKey, byte[]> context;
    private final KeyValueStore<Bytes, byte[]> store = Stores.keyValueStoreBuilder(
                    Stores.inMemoryKeyValueStore(PendingStore.NAME), Serdes.Bytes(), Serdes.ByteArray())
            .withLoggingDisabled()
            .build();
    private final PromptProcessor processor = new PromptProcessor(shared.parts());

    ClockJumpTest(@TempDir File directory) {
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
    }

    @AfterEach
    void close() {
        shared.close();
    }

    /** Kafka Streams' timers follow the clock: set back by a day, none comes for a day. */
    @Test
    void shouldDrainWithEachPromptWhereTheClockWasSetBackAndNoTimerComes() {
        shared.engine.holding(text -> true);
        processor.init(context);
        process(0, "before");
        context.setCurrentSystemTimeMs(NOW_MS - DAY_MS);

        shared.engine.release();
        assertThat(context.forwarded()).as("nobody has looked yet").isEmpty();
        process(1, "after");

        assertThat(context.forwarded())
                .extracting(forward -> forward.childName().orElseThrow())
                .containsExactly("results", "metrics", "results", "metrics");
        assertThat(shared.gate.pending()).isZero();
    }

    @Test
    void shouldCommitWhereTheClockWasSetBackSinceTheLastCommit() {
        processor.init(context);
        shared.pacer.timed(() -> {});
        context.setCurrentSystemTimeMs(NOW_MS - DAY_MS);
        process(0, "too soon");
        assertThat(context.committed()).isFalse();

        shared.nanos.addAndGet(CommitPacer.MIN_GAP_NANOS);
        process(1, "later");

        assertThat(context.committed()).isTrue();
    }

    /** Deadlines go by the time that only runs forward. */
    @Test
    void shouldFailNothingWhereTheClockWasSetForwardByADay() {
        shared.engine.holding(text -> true);
        processor.init(context);
        process(0, "pending");
        long admitted = shared.engine.submitted().getFirst().admittedNanos();
        context.setCurrentSystemTimeMs(NOW_MS + DAY_MS);
        process(1, "new");
        assertThat(shared.engine.cancelled()).isEmpty();
        assertThat(shared.engine.submitted().getLast().admittedNanos()).isEqualTo(admitted);

        shared.engine.release();
        context.scheduledPunctuators().getFirst().getPunctuator().punctuate(NOW_MS + DAY_MS);

        assertThat(context.forwarded())
                .extracting(forward -> forward.childName().orElseThrow())
                .containsExactly("results", "metrics", "results", "metrics");
    }

    /** The previous owner's clock was ahead, or this one was set back since. */
    @Test
    void shouldTakeAPromptThatWasAdmittedInTheFutureForOneAdmittedNow() {
        shared.engine.holding(text -> true);
        PendingPrompt prompt = PendingPrompt.admitted(
                utf8("k"), new Payload.Raw(utf8(json("left"))), List.of(), NOW_MS + DAY_MS, NOW_MS + DAY_MS);
        store.put(new PendingKey(TopologyHarness.TOPIC_ID, PARTITION, 5).encode(), PendingCodec.encode(prompt));

        processor.init(context);
        context.scheduledPunctuators().getFirst().getPunctuator().punctuate(NOW_MS);

        assertThat(shared.engine.submitted())
                .singleElement()
                .satisfies(request -> assertThat(request.admittedNanos()).isEqualTo(shared.nanos.get()));
    }

    private void process(long offset, String text) {
        context.setRecordMetadata(TopologyHarness.PROMPTS, PARTITION, offset);
        processor.process(new Record<>(utf8("k"), utf8(json(text)), NOW_MS, new RecordHeaders()));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String json(String text) {
        return "{\"prompt\":\"" + text + "\"}";
    }
}
