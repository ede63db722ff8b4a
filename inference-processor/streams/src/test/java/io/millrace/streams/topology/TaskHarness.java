package io.millrace.streams.topology;

import static io.millrace.streams.topology.TopologyHarness.utf8;

import io.millrace.engine.InferenceRequest;
import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.ControlScope;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.config.Ordering;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.pending.Payload;
import io.millrace.streams.pending.PendingCodec;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PendingPrompt;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.testing.TestEngine;
import java.io.File;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** One task in one process after another: the store survives, and all else only as long as its process. */
final class TaskHarness implements AutoCloseable {

    private static final int PARTITION = 3;
    private static final long NOW_MS = 1_700_000_100_000L;

    private final File directory;
    private final Ordering ordering;
    private final KeyValueStore<Bytes, byte[]> store = Stores.keyValueStoreBuilder(
                    Stores.inMemoryKeyValueStore(PendingStore.NAME), Serdes.Bytes(), Serdes.ByteArray())
            .withLoggingDisabled()
            .build();
    private TopologyHarness process = new TopologyHarness();
    private MockProcessorContext<OutKey, byte[]> context;
    private PromptProcessor processor;
    private List<Header> headers = List.of();

    TaskHarness(File directory) {
        this(directory, Ordering.NONE);
    }

    TaskHarness(File directory, Ordering ordering) {
        this.directory = directory;
        this.ordering = ordering;
        this.context = context();
        this.processor = new PromptProcessor(parts());
        store.init(context.getStateStoreContext(), store);
    }

    private MockProcessorContext<OutKey, byte[]> context() {
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        MockProcessorContext<OutKey, byte[]> made =
                new MockProcessorContext<>(config, new TaskId(0, PARTITION), directory);
        made.setCurrentSystemTimeMs(NOW_MS);
        made.addStateStore(store);
        return made;
    }

    private PromptProcessor.Parts parts() {
        PromptProcessor.Parts parts = process.parts();
        return new PromptProcessor.Parts(
                parts.promptsTopic(),
                parts.topicId(),
                parts.intake(),
                parts.gate(),
                parts.pacer(),
                parts.limits(),
                parts.observer(),
                parts.nanoClock(),
                ordering,
                Optional.empty());
    }

    /** What the present process shares among its tasks. */
    TopologyHarness process() {
        return process;
    }

    TestEngine engine() {
        return process.engine;
    }

    MockProcessorContext<OutKey, byte[]> kafka() {
        return context;
    }

    /** What is read and left from now on carries these. */
    void carry(List<Header> all) {
        headers = all;
    }

    /** Puts an entry that an earlier process left. */
    void left(long offset, String text, int recoveries) {
        left(offset, text, recoveries, 0);
    }

    void left(long offset, String text, int recoveries, int strikes) {
        left(offset, utf8(json(text)), recoveries, strikes);
    }

    void left(long offset, byte[] value, int recoveries, int strikes) {
        left(offset, value, recoveries, strikes, Optional.empty());
    }

    /** One that another process ran alone. */
    void leftAlone(long offset, String text, UUID process) {
        left(offset, utf8(json(text)), 5, 0, Optional.of(process));
    }

    private void left(long offset, byte[] value, int recoveries, int strikes, Optional<UUID> aloneIn) {
        PendingPrompt prompt = new PendingPrompt(
                utf8("k"), new Payload.Raw(value), headers, NOW_MS, NOW_MS, recoveries, strikes, aloneIn);
        store.put(key(offset).encode(), PendingCodec.encode(prompt));
    }

    /** The same of a job. */
    void leftOfJob(long offset, String key, String text, int recoveries) {
        String value = "{\"prompt\":\"" + text + "\",\"job_id\":\"j\"}";
        PendingPrompt prompt = new PendingPrompt(
                utf8(key), new Payload.Raw(utf8(value)), List.of(), NOW_MS, NOW_MS, recoveries, 0, Optional.empty());
        store.put(key(offset).encode(), PendingCodec.encode(prompt));
    }

    /** A command about that job is in force. */
    void command(ControlAction action) {
        ControlCommand command = ControlCommand.newBuilder()
                .setCommandId("c")
                .setAction(action)
                .setScope(ControlScope.JOB)
                .setTarget("j")
                .setIssuedAt(Instant.ofEpochMilli(NOW_MS))
                .build();
        if (process.intake().controls().apply(command).isPresent()) {
            throw new IllegalStateException("no command: " + command);
        }
        process.intake().commandsChanged();
    }

    /** The task begins: what the store holds is recovered. */
    void begin() {
        processor.init(context);
    }

    /** The task is closed and begins again in the same process. */
    void moveWithinTheProcess() {
        processor.close();
        processor = new PromptProcessor(parts());
        context = context();
        begin();
    }

    /** The task is closed, nobody takes it over here for the grace period, and then it may begin again. */
    void closeAndExpire() {
        processor.close();
        process.runLaterTasks();
        processor = new PromptProcessor(parts());
        context = context();
    }

    /** The process closes in good order, and another may begin. */
    void handOver() {
        processor.close();
        process.intake().close();
        process.close();
        process = new TopologyHarness();
        context = context();
        processor = new PromptProcessor(parts());
    }

    /** The process is gone with all that was in its engine, and the task begins in another. */
    void dieAndMove() {
        process.close();
        process = new TopologyHarness();
        context = context();
        processor = new PromptProcessor(parts());
        begin();
        lookAfterOwners();
    }

    /** What the group's members say is heard of, for longer than somebody has to be missing. */
    void lookAfterOwners() {
        for (int i = 0; i < 8; i++) {
            drain();
            process.nanos.addAndGet(Duration.ofMillis(500).toNanos());
            process.runLaterTasks();
        }
        drain();
    }

    /** The process has lost the task and lives; another has it now. */
    UUID moveToAnotherProcess() {
        UUID left = process.process;
        processor.close();
        process.close();
        process = new TopologyHarness();
        context = context();
        processor = new PromptProcessor(parts());
        process.members = other -> Optional.of(other.equals(left));
        begin();
        return left;
    }

    void read(long offset, String text) {
        context.setRecordMetadata(TopologyHarness.PROMPTS, PARTITION, offset);
        processor.process(new Record<>(utf8("k"), utf8(json(text)), NOW_MS, new RecordHeaders(headers)));
    }

    /** A millisecond or so passes, and nothing is committed. */
    void drain() {
        process.nanos.addAndGet(CommitPacer.MIN_GAP_NANOS);
        List<MockProcessorContext.CapturedPunctuator> active = context.scheduledPunctuators().stream()
                .filter(punctuator -> !punctuator.cancelled())
                .toList();
        active.forEach(punctuator -> punctuator.getPunctuator().punctuate(NOW_MS));
    }

    /** What was asked for is committed. */
    void commit() {
        process.pacer.timed(() -> {});
        context.resetCommit();
    }

    /** Drains and commits until nothing moves any more. */
    void settle() {
        for (int i = 0; i < 20; i++) {
            drain();
            commit();
        }
    }

    /** Texts that the engine of the present process has taken, in order. */
    List<String> submitted() {
        return process.engine.submitted().stream().map(TestEngine::text).toList();
    }

    /** Texts that run now. */
    List<String> running() {
        return process.engine.submitted().stream()
                .filter(request -> process.engine.priorities().containsKey(request.id()))
                .map(TestEngine::text)
                .toList();
    }

    List<String> ids() {
        return process.engine.submitted().stream().map(InferenceRequest::id).toList();
    }

    PendingPrompt stored(long offset) {
        return PendingCodec.decode(store.get(key(offset).encode()));
    }

    long pending() {
        return store.approximateNumEntries();
    }

    long results() {
        return forwarded("results").size();
    }

    List<InferenceFailure> failures() {
        var deserializer = RecordSerdes.deserializer(InferenceFailure.class, Map.of());
        List<InferenceFailure> failures = new ArrayList<>();
        for (Record<OutKey, byte[]> record : forwarded("failures")) {
            failures.add(deserializer.deserialize("failures", record.headers(), record.value()));
        }
        return failures;
    }

    /** What was sent to one of the topics, as the {@code Sink} names it. */
    List<Record<OutKey, byte[]>> forwarded(String sink) {
        List<Record<OutKey, byte[]>> records = new ArrayList<>();
        for (MockProcessorContext.CapturedForward<? extends OutKey, ? extends byte[]> forward : context.forwarded()) {
            if (forward.childName().orElseThrow().equals(sink)) {
                records.add(new Record<>(
                        forward.record().key(),
                        forward.record().value(),
                        forward.record().timestamp(),
                        forward.record().headers()));
            }
        }
        return records;
    }

    static PendingKey key(long offset) {
        return new PendingKey(TopologyHarness.TOPIC_ID, PARTITION, offset);
    }

    private static String json(String text) {
        return "{\"prompt\":\"" + text + "\"}";
    }

    @Override
    public void close() {
        process.close();
    }
}
