package io.millrace.streams.topology;

import io.millrace.engine.SamplingParameters;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.config.Ordering;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.Gate;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.intake.Intake;
import io.millrace.streams.intake.IntakeThreads;
import io.millrace.streams.intake.Models;
import io.millrace.streams.intake.ServedModel;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.records.OutcomeEncoder;
import io.millrace.streams.records.OutputSerializers;
import io.millrace.streams.records.OutputTopics;
import io.millrace.streams.records.Sink;
import io.millrace.streams.records.SizeLimits;
import io.millrace.streams.testing.TestEngine;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;

/** The whole topology in a TopologyTestDriver, on one thread: what an intake thread would do is done at once. */
final class TopologyHarness implements AutoCloseable {

    static final String PROMPTS = "prompts";
    static final OutputTopics OUTPUTS = new OutputTopics("results", "failures", "metrics", "dead-letters");
    static final Uuid TOPIC_ID = new Uuid(7, 8);
    static final Instant START = Instant.parse("2026-11-24T10:00:00Z");
    static final String MODEL = "echo";

    final TestEngine engine = TestEngine.immediate();
    final Gate gate = new Gate(new GateLimits(1000, 1000, 1L << 30));
    final UUID process = UUID.randomUUID();

    /** Whether another process is in the group; empty: it is rebalancing. Nobody is there unless a test says so. */
    Function<UUID, Optional<Boolean>> members = other -> Optional.of(false);

    final AtomicLong nanos = new AtomicLong(1_000_000_000L);
    final CommitPacer pacer = new CommitPacer(nanos::get, took -> {});
    final ArrayDeque<Runnable> laterTasks = new ArrayDeque<>();

    private final PromptProcessor.Parts parts;
    private final TopologyTestDriver driver;
    private final TestInputTopic<byte[], byte[]> input;

    TopologyHarness() {
        this(1 << 20, Map.of(), RecordSerdes.deserializer(PromptRequest.class, Map.of()));
    }

    TopologyHarness(long pendingBytes, Map<Sink, Long> outputBytes, Deserializer<PromptRequest> prompts) {
        SizeLimits limits = limits(pendingBytes, outputBytes);
        parts = parts(limits, prompts);
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        driver = new TopologyTestDriver(
                PromptTopology.build(PROMPTS, OUTPUTS, (int) pendingBytes, parts), properties, START);
        input = driver.createInputTopic(PROMPTS, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static SizeLimits limits(long pendingBytes, Map<Sink, Long> outputBytes) {
        Map<Sink, Long> all = new EnumMap<>(Sink.class);
        for (Sink sink : Sink.values()) {
            all.put(sink, outputBytes.getOrDefault(sink, 1L << 20));
        }
        return new SizeLimits(pendingBytes, all);
    }

    private PromptProcessor.Parts parts(SizeLimits limits, Deserializer<PromptRequest> prompts) {
        OutputSerializers serializers = new OutputSerializers(
                OUTPUTS,
                RecordSerdes.serializer(InferenceResult.class, Map.of()),
                RecordSerdes.serializer(InferenceFailure.class, Map.of()),
                RecordSerdes.serializer(InferenceMetrics.class, Map.of()));
        Intake intake = new Intake(
                prompts,
                new Models(Map.of(MODEL, new ServedModel(engine, SamplingParameters.DEFAULT)), MODEL),
                new OutcomeEncoder(serializers, limits, "instance-1", InstantSource.fixed(START)),
                gate,
                ProcessorObserver.NONE,
                new SameThread(),
                1,
                Duration.ofSeconds(15),
                process,
                other -> CompletableFuture.completedStage(members.apply(other)));
        return new PromptProcessor.Parts(
                PROMPTS,
                TOPIC_ID,
                intake,
                gate,
                pacer,
                limits,
                ProcessorObserver.NONE,
                nanos::get,
                Ordering.NONE,
                Optional.empty());
    }

    /** What a processor of one's own shares with the topology's. */
    PromptProcessor.Parts parts() {
        return parts;
    }

    Intake intake() {
        return parts.intake();
    }

    /** Sends a prompt record. */
    void send(byte @Nullable [] key, byte @Nullable [] value, List<Header> headers) {
        input.pipeInput(new TestRecord<>(key, value, new RecordHeaders(headers), START));
    }

    void send(String json) {
        send(utf8("key"), utf8(json), List.of());
    }

    /** Lets wall-clock time pass, so that a punctuation drains. */
    void passTime() {
        nanos.addAndGet(Duration.ofMillis(10).toNanos());
        driver.advanceWallClockTime(Duration.ofMillis(10));
    }

    /** Runs what is to be tried again later. */
    void runLaterTasks() {
        // not what they put off again
        for (int left = laterTasks.size(); left > 0; left--) {
            Objects.requireNonNull(laterTasks.poll()).run();
        }
    }

    List<TestRecord<byte[], InferenceResult>> results() {
        return read(OUTPUTS.results(), RecordSerdes.deserializer(InferenceResult.class, Map.of()));
    }

    List<TestRecord<byte[], InferenceFailure>> failures() {
        return read(OUTPUTS.failures(), RecordSerdes.deserializer(InferenceFailure.class, Map.of()));
    }

    List<TestRecord<byte[], InferenceMetrics>> metrics() {
        return read(OUTPUTS.metrics(), RecordSerdes.deserializer(InferenceMetrics.class, Map.of()));
    }

    List<TestRecord<byte[], byte[]>> deadLetters() {
        return read(OUTPUTS.deadLetters(), new ByteArrayDeserializer());
    }

    private <T> List<TestRecord<byte[], T>> read(String topic, Deserializer<T> deserializer) {
        return driver.createOutputTopic(topic, new ByteArrayDeserializer(), deserializer)
                .readRecordsToList();
    }

    long storedEntries() {
        KeyValueStore<Bytes, byte[]> store = driver.getKeyValueStore(PendingStore.NAME);
        return store.approximateNumEntries();
    }

    @Override
    public void close() {
        driver.close();
        engine.close();
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private final class SameThread implements IntakeThreads {

        @Override
        public long nanoTime() {
            return nanos.get();
        }

        @Override
        public void execute(Runnable task) {
            task.run();
        }

        @Override
        public void after(Duration delay, Runnable task) {
            laterTasks.add(task);
        }

        @Override
        public void close() {
            laterTasks.clear();
        }
    }
}
