package io.millrace.streams.simulation;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Rejection;
import io.millrace.engine.SamplingParameters;
import io.millrace.llm.runtime.SteppedEngine;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.Source;
import io.millrace.schemas.serde.RegistryUnavailableException;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.config.Ordering;
import io.millrace.streams.gate.Bell;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.Gate;
import io.millrace.streams.gate.GateLimits;
import io.millrace.streams.intake.GroupMembers;
import io.millrace.streams.intake.Intake;
import io.millrace.streams.intake.Models;
import io.millrace.streams.intake.ServedModel;
import io.millrace.streams.records.OutcomeEncoder;
import io.millrace.streams.records.OutputSerializers;
import io.millrace.streams.records.OutputTopics;
import io.millrace.streams.records.Sink;
import io.millrace.streams.records.SizeLimits;
import io.millrace.streams.topology.OutKey;
import io.millrace.streams.topology.PromptProcessor;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.streams.processor.api.Processor;

/** One process of the application: everything of the product that runs in it, with the threads it runs on. */
final class Instance extends Host {

    static final OutputTopics OUTPUTS = new OutputTopics("results", "failures", "metrics", "dead-letters");

    private static final String MODEL = "model";
    private static final int INTAKE_THREADS = 2;
    private static final long PENDING_BYTES = SizeLimits.LEAST_BYTES;
    private static final Uuid TOPIC_ID = new Uuid(7, 8);

    final World world;
    final Cluster cluster;
    final Plan plan;
    final Mutation mutation;
    final SimulatedClients clients;
    private final Faults faults;
    private final Gate gate;
    private final CommitPacer pacer;
    private final SimulatedThreads threads;
    private final SteppedEngine engine;
    private final Intake intake;
    private final PromptProcessor.Parts parts;
    private StreamThread thread;
    private int threadsStarted;
    private boolean closing;
    private long closeDeadlineNanos;

    Instance(
            World world, Cluster cluster, Plan plan, Commands commands, Mutation mutation, Faults faults, String name) {
        super(name);
        this.world = world;
        this.cluster = cluster;
        this.plan = plan;
        this.mutation = mutation;
        this.faults = faults;
        // it waits for nobody: time is the world's
        gate = new Gate(
                new GateLimits(plan.maxPending(), plan.maxPendingPerPartition(), 1 << 20), new Bell(Duration.ZERO));
        pacer = new CommitPacer(world::nanos, took -> {});
        clients = new SimulatedClients(gate, pacer);
        threads = new SimulatedThreads(world, this, INTAKE_THREADS);
        engine = new SteppedEngine(
                MODEL,
                plan.stepsInFlight(),
                plan.engine(),
                plan.maxWaiting(),
                world::nanos,
                new SteppedEngine.Faults(
                        faults::failsStep, faults::failsStep, faults::exhaustsMemory, this::killedByPrompt));
        SizeLimits limits = sizeLimits();
        intake = intake(limits);
        parts = new PromptProcessor.Parts(
                Cluster.PROMPTS,
                TOPIC_ID,
                intake,
                gate,
                pacer,
                limits,
                ProcessorObserver.NONE,
                world::nanos,
                mutation == Mutation.UNORDERED ? Ordering.NONE : plan.ordering(),
                plan.deduplication());
        world.add(new EngineThread());
        world.add(new ControlReader(commands.sent()));
        thread = startThread();
    }

    private static SizeLimits sizeLimits() {
        Map<Sink, Long> outputs = new EnumMap<>(Sink.class);
        for (Sink sink : Sink.values()) {
            outputs.put(sink, 1L << 20);
        }
        return new SizeLimits(PENDING_BYTES, outputs);
    }

    private Intake intake(SizeLimits limits) {
        OutputSerializers serializers = new OutputSerializers(
                OUTPUTS,
                (topic, result) -> output(result.getSource(), Prompt.RESULT, result.getText()),
                (topic, failure) ->
                        failure(failure.getSource(), failure.getCode().name(), failure.getMessage()),
                (topic, metrics) -> output(metrics.getSource(), "METRICS", ""));
        return new Intake(
                (topic, bytes) -> decode(bytes),
                new Models(Map.of(MODEL, new ServedModel(new PausingEngine(), SamplingParameters.DEFAULT)), MODEL),
                new OutcomeEncoder(serializers, limits, name, () -> Prompt.instant(world.nanos())),
                gate,
                new Observer(),
                threads,
                INTAKE_THREADS,
                Duration.ofNanos(plan.orphanGraceNanos()),
                process(),
                new Members());
    }

    private final class Members implements GroupMembers {

        @Override
        public CompletionStage<Optional<Boolean>> has(UUID process) {
            return CompletableFuture.completedStage(cluster.group.hasProcess(process));
        }

        /** The same part of a session as with Kafka's ten seconds. */
        @Override
        public Duration absence() {
            return Duration.ofNanos(plan.sessionNanos() * 3 / 10);
        }
    }

    private PromptRequest decode(byte[] bytes) {
        world.pausePoint(this, "decode");
        if (faults.registryIsDown()) {
            throw new RegistryUnavailableException("down");
        }
        return Prompt.decode(bytes);
    }

    private byte[] failure(Source source, String code, String message) {
        if (code.equals(Prompt.DUPLICATE)) {
            world.note(name, "duplicate");
        }
        return output(source, code, message);
    }

    private byte[] output(Source source, String ending, String text) {
        world.pausePoint(this, "encode");
        if (faults.registryIsDown()) {
            throw new RegistryUnavailableException("down");
        }
        return (source.getPartition() + "|" + source.getOffset() + "|" + ending + "|" + text)
                .getBytes(StandardCharsets.UTF_8);
    }

    private void killedByPrompt() {
        world.note(name, "killed by a prompt");
        kill();
        throw new Killed();
    }

    Processor<byte[], byte[], OutKey, byte[]> newProcessor() {
        return new PromptProcessor(parts);
    }

    SimulatedProducer newProducer(String transactionalId) {
        return new SimulatedProducer(world, cluster, this, transactionalId, faults::losesAnswer, mutation);
    }

    private StreamThread startThread() {
        StreamThread started = new StreamThread(this, threadsStarted);
        world.add(started);
        world.add(new Sender(started));
        return started;
    }

    /** Perhaps under the number of the one that died, as when it was gone before. */
    void replaceThread() {
        threadsStarted += world.random.below(2);
        thread = startThread();
    }

    // --- closing in good order

    void close(long drainNanos) {
        closing = true;
        closeDeadlineNanos = world.nanos() + drainNanos;
        gate.close(new Closure(Closure.Reason.SHUTDOWN, ""));
    }

    boolean shallEnd() {
        return closing && (gate.pending() == 0 || world.nanos() >= closeDeadlineNanos);
    }

    /** The process ends. */
    void exit() {
        world.note(name, "exit");
        if (gate.pending() != 0 || gate.pendingBytes() != 0) {
            throw new AssertionError("pending=" + gate.pending() + ", expected=0 once all tasks are closed");
        }
        intake.close();
        engine.close();
        kill();
    }

    // --- at rest

    /** Why it is not at rest; empty when it is. */
    String unrest() {
        if (closing) {
            return name + ": closing";
        }
        if (!thread.isSettled()) {
            return name + ": its member or tasks are not settled";
        }
        if (gate.pending() != 0 || gate.paused() != 0) {
            return name + ": pending=" + gate.pending() + ", paused=" + gate.paused();
        }
        if (!engine.isIdle()) {
            return name + ": engine=" + engine.stats();
        }
        if (!threads.isIdle()) {
            return name + ": intake has work";
        }
        if (pacer.isCommitOwed()) {
            return name + ": a commit is owed";
        }
        return "";
    }

    /** What must be so once it is at rest. */
    void checkAtRest() {
        check("pending bytes", gate.pendingBytes() == 0, gate.pendingBytes());
        check("closures", gate.closures().isEmpty(), gate.closures());
        check("KV cache usage", engine.stats().kvCacheUsage() == 0, engine.stats());
        check("waiting", engine.stats().waiting() == 0, engine.stats());
    }

    private void check(String what, boolean holds, Object found) {
        if (!holds) {
            throw new AssertionError(name + ": " + what + "=" + found + ", expected=none at rest");
        }
    }

    private final class Observer implements ProcessorObserver {

        @Override
        public void orphaned(int requests) {
            world.note(name, "orphaned", requests);
        }

        @Override
        public void adopted(String model, int tokens) {
            world.note(name, "adopted", tokens);
        }

        @Override
        public void orphanExpired() {
            world.note(name, "orphan expired");
        }
    }

    // --- its other threads

    private final class EngineThread extends Actor {

        private long nextNanos;

        EngineThread() {
            super(Instance.this.name + "-engine", Instance.this);
        }

        @Override
        long wakeAtNanos() {
            return engine.isIdle() ? NEVER : nextNanos;
        }

        @Override
        void step() {
            engine.step();
            nextNanos = world.nanos() + world.random.nanos(0, 3);
        }
    }

    /** At the start everything is read before the first task runs; what comes later is read when it can be. */
    private final class ControlReader extends Actor {

        private final List<ControlCommand> topic;
        private int position;

        ControlReader(List<ControlCommand> topic) {
            super(Instance.this.name + "-control", Instance.this);
            this.topic = topic;
            while (position < topic.size()) {
                var _ = intake.controls().apply(topic.get(position++));
            }
        }

        @Override
        long wakeAtNanos() {
            return position == topic.size() ? NEVER : Math.max(cutUntilNanos, 0);
        }

        @Override
        void step() {
            var _ = intake.controls().apply(topic.get(position++));
            intake.commandsChanged();
        }
    }

    private final class Sender extends Actor {

        private final StreamThread of;

        Sender(StreamThread of) {
            super(of.name + "-sender", Instance.this);
            this.of = of;
        }

        @Override
        long wakeAtNanos() {
            return of.producer().hasBuffered() && !of.isDead() && isReachable(world.nanos()) ? 0 : NEVER;
        }

        @Override
        void step() {
            of.producer().sendSome();
        }
    }

    /** The engine as intake sees it: the caller may stand still before and after a submission. */
    private final class PausingEngine implements InferenceEngine {

        @Override
        public ModelInfo model() {
            return engine.model();
        }

        @Override
        public Optional<Rejection> submit(InferenceRequest request, Consumer<? super Completion> onCompletion) {
            world.pausePoint(Instance.this, "submit");
            Optional<Rejection> rejection = engine.submit(request, onCompletion);
            world.pausePoint(Instance.this, "submitted");
            return rejection;
        }

        @Override
        public void cancel(String requestId) {
            engine.cancel(requestId);
        }

        @Override
        public void setPriority(String requestId, int priority) {
            engine.setPriority(requestId, priority);
        }

        @Override
        public int generatedTokens(String requestId) {
            return engine.generatedTokens(requestId);
        }

        @Override
        public EngineStats stats() {
            return engine.stats();
        }

        @Override
        public void close() {
            engine.close();
        }
    }
}
