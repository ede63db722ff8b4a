package io.millrace.streams.testing;

import io.millrace.devstack.TestKafka;
import io.millrace.devstack.oracle.ExactlyOnceOracle;
import io.millrace.devstack.oracle.OracleTopics;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.SamplingParameters;
import io.millrace.schemas.ControlAction;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.ControlScope;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.app.ProcessorHooks;
import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.app.Topics;
import io.millrace.streams.config.DeduplicationSettings;
import io.millrace.streams.config.Ordering;
import io.millrace.streams.control.ControlTopic;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.intake.ServedModel;
import io.millrace.streams.pending.PendingStore;
import io.millrace.streams.records.OutputTopics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.producer.ProducerRecord;

/** An application with topics of its own on the tests' broker: what a test varies, and what it asks. */
public final class TestApp {

    /** The model's name. */
    public static final String MODEL = "echo";

    private final TestKafka kafka;
    private final String applicationId;
    private final OutputTopics outputs;
    private final String prompts;
    private final String engineMetrics;
    private GateLimits gate = new GateLimits(1000, 1000, 1L << 28);
    private int streamThreads = 1;
    private Duration orphanGrace = Duration.ofSeconds(15);
    private Duration engineStallTimeout = Duration.ofSeconds(60);
    private Ordering ordering = Ordering.NONE;
    private Optional<DeduplicationSettings> deduplication = Optional.empty();
    private final Map<String, Object> properties = new HashMap<>();

    private TestApp(TestKafka kafka, String applicationId) {
        this.kafka = kafka;
        this.applicationId = applicationId;
        this.prompts = applicationId + "-prompts";
        this.engineMetrics = applicationId + "-engine-metrics";
        this.outputs = new OutputTopics(
                applicationId + "-results",
                applicationId + "-failures",
                applicationId + "-metrics",
                applicationId + "-dead-letters");
        properties.put("bootstrap.servers", kafka.bootstrapServers());
        // the least that a broker allows by default: takeover after a kill waits for it
        properties.put("main.consumer.session.timeout.ms", "6000");
        properties.put("main.consumer.heartbeat.interval.ms", "500");
    }

    /** Creates the topics. */
    public static TestApp create(TestKafka kafka, String name, int partitions) {
        TestApp app = new TestApp(kafka, TestKafka.uniqueName(name));
        Topics.create(kafka.admin(), app.settings(), new Topics.Shape(partitions, (short) 1));
        return app;
    }

    /** The same application seen from another JVM: nothing is created. */
    public static TestApp existing(String bootstrapServers, String applicationId) {
        return new TestApp(TestKafka.on(bootstrapServers), applicationId);
    }

    public TestApp with(GateLimits limits) {
        gate = limits;
        return this;
    }

    public TestApp withStreamThreads(int threads) {
        streamThreads = threads;
        return this;
    }

    public TestApp withOrphanGrace(Duration grace) {
        orphanGrace = grace;
        return this;
    }

    public TestApp withEngineStallTimeout(Duration timeout) {
        engineStallTimeout = timeout;
        return this;
    }

    public TestApp with(Ordering order) {
        ordering = order;
        return this;
    }

    public TestApp with(DeduplicationSettings settings) {
        deduplication = Optional.of(settings);
        return this;
    }

    public TestApp with(String property, String value) {
        properties.put(property, value);
        return this;
    }

    public String applicationId() {
        return applicationId;
    }

    public String prompts() {
        return prompts;
    }

    public OutputTopics outputs() {
        return outputs;
    }

    public String engineMetrics() {
        return engineMetrics;
    }

    public String control() {
        return applicationId + "-control";
    }

    public TestKafka kafka() {
        return kafka;
    }

    public ProcessorSettings settings() {
        return new ProcessorSettings(
                applicationId,
                "instance-" + ProcessHandle.current().pid(),
                prompts,
                outputs,
                engineMetrics,
                control(),
                properties,
                gate,
                2,
                streamThreads,
                (short) 1,
                MODEL,
                orphanGrace,
                engineStallTimeout,
                ordering,
                deduplication);
    }

    /** Starts it with this engine. */
    public ProcessorApp start(InferenceEngine engine) {
        return start(engine, ProcessorHooks.of(ProcessorObserver.NONE));
    }

    public ProcessorApp start(InferenceEngine engine, ProcessorHooks hooks) {
        return ProcessorApp.start(
                settings(), Map.of(MODEL, new ServedModel(engine, SamplingParameters.DEFAULT)), hooks);
    }

    /** Sends prompts with these texts, in turn to each partition. */
    public void send(List<String> texts) {
        int partitions = kafka.partitions(prompts).size();
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            records.add(record(i % partitions, json(texts.get(i))));
        }
        kafka.produce(records);
    }

    /** Sends a command that is given now. */
    public void command(ControlAction action, ControlScope scope, String target) {
        ControlCommand command = ControlCommand.newBuilder()
                .setCommandId("test-" + action)
                .setAction(action)
                .setScope(scope)
                .setTarget(target)
                .setReason("a test says so")
                .setIssuedAt(Instant.now())
                .build();
        byte[] value = RecordSerdes.serializer(ControlCommand.class, Map.of()).serialize(control(), command);
        kafka.produce(List.of(new ProducerRecord<>(control(), utf8(ControlTopic.key(command)), value)));
    }

    /** A prompt record with these bytes as its value. */
    public ProducerRecord<byte[], byte[]> record(int partition, String value) {
        return new ProducerRecord<>(prompts, partition, utf8("key-" + partition), utf8(value));
    }

    /** A prompt that asks for an echo of a text. */
    public static String json(String text) {
        return "{\"prompt\":\"" + text + "\"}";
    }

    /** How many records a read_committed consumer sees. */
    public int committed(String topic) {
        return kafka.readCommitted(topic).size();
    }

    /** How many endings a read_committed consumer sees: results, failures and dead letters. */
    public int endings() {
        return committed(outputs.results()) + committed(outputs.failures()) + committed(outputs.deadLetters());
    }

    /** How many prompts the committed offsets cover. */
    public long consumed() {
        return kafka.committedOffsets(applicationId).entrySet().stream()
                .filter(entry -> entry.getKey().topic().equals(prompts))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    public ExactlyOnceOracle oracle() {
        return oracle(Map.of());
    }

    /** The oracle of outputs that go through a registry. */
    public ExactlyOnceOracle oracle(Map<String, ?> serdeConfig) {
        return new ExactlyOnceOracle(
                kafka.reader(),
                applicationId,
                new OracleTopics(
                        prompts,
                        outputs.results(),
                        outputs.failures(),
                        outputs.metrics(),
                        outputs.deadLetters(),
                        PendingStore.changelog(applicationId)),
                serdeConfig);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
