package io.millrace.streams.app;

import io.millrace.engine.EngineStats;
import io.millrace.schemas.ControlCommand;
import io.millrace.schemas.EngineInterval;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.PromptRequest;
import io.millrace.schemas.serde.RecordSerdes;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.control.ControlReader;
import io.millrace.streams.gate.Closure;
import io.millrace.streams.gate.CommitPacer;
import io.millrace.streams.gate.Gate;
import io.millrace.streams.intake.Intake;
import io.millrace.streams.intake.IntakeThreads;
import io.millrace.streams.intake.Models;
import io.millrace.streams.intake.ServedModel;
import io.millrace.streams.records.OutcomeEncoder;
import io.millrace.streams.records.OutputSerializers;
import io.millrace.streams.topology.PromptProcessor;
import io.millrace.streams.topology.PromptTopology;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The running processor: prompts in, endings out, until it is closed. The engines belong to the caller, who closes them
 * after it.
 *
 * <p>Threads: all methods may be called from any thread.
 */
public final class ProcessorApp implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ProcessorApp.class);

    /** How long Kafka's clients may take to close. */
    private static final Duration CLIENTS_CLOSE = Duration.ofSeconds(20);

    /** Many times the pause between two drains; it passes only where a stream thread is stuck. */
    private static final Duration MARKS_BACK = Duration.ofSeconds(2);

    /** How long the commands of before the start may take to be read. */
    private static final Duration COMMANDS_READ = Duration.ofSeconds(30);

    private static final Closure SHUTDOWN = new Closure(Closure.Reason.SHUTDOWN, "");

    private final Models models;
    private final Gate gate;
    private final Intake intake;
    private final EngineReporter reporter;
    private final ControlReader control;
    private final KafkaGroupMembers members;
    private final KafkaStreams streams;
    private final CountDownLatch running = new CountDownLatch(1);
    private final CompletableFuture<ProcessorStatus.State> stopped = new CompletableFuture<>();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final EngineWatchdog watchdog;
    private final AtomicReference<EngineWatchdog.@Nullable Stall> stall = new AtomicReference<>();
    private volatile boolean failed;

    private ProcessorApp(ProcessorSettings settings, Models models, Topics.Facts facts, ProcessorHooks hooks) {
        this.models = models;
        this.gate = new Gate(settings.gate());
        CommitPacer pacer = new CommitPacer(System::nanoTime, hooks.observer()::committed);
        Map<String, Object> kafka = settings.kafka();
        OutcomeEncoder encoder = new OutcomeEncoder(
                new OutputSerializers(
                        settings.outputs(),
                        RecordSerdes.serializer(InferenceResult.class, kafka),
                        RecordSerdes.serializer(InferenceFailure.class, kafka),
                        RecordSerdes.serializer(InferenceMetrics.class, kafka)),
                facts.limits(),
                settings.instance(),
                InstantSource.system());
        UUID process = UUID.randomUUID();
        this.members = new KafkaGroupMembers(PlainClients.admin(kafka), settings.applicationId());
        this.intake = new Intake(
                RecordSerdes.deserializer(PromptRequest.class, kafka),
                models,
                encoder,
                gate,
                hooks.observer(),
                IntakeThreads.pool(settings.intakeThreads(), this::onFatal),
                settings.intakeThreads(),
                settings.orphanGrace(),
                process,
                members);
        this.control = new ControlReader(
                PlainClients.consumer(kafka),
                settings.controlTopic(),
                RecordSerdes.deserializer(ControlCommand.class, kafka),
                intake.controls(),
                new AppliedCommands(intake, hooks.observer()));
        Topology topology = PromptTopology.build(
                settings.promptsTopic(),
                settings.outputs(),
                facts.changelogBytes(),
                new PromptProcessor.Parts(
                        settings.promptsTopic(),
                        facts.topicId(),
                        intake,
                        gate,
                        pacer,
                        facts.limits(),
                        hooks.observer(),
                        System::nanoTime,
                        settings.ordering(),
                        settings.deduplication()));
        this.streams = new KafkaStreams(
                topology,
                StreamsProperties.of(settings, process, facts.maxRequestBytes(), facts.leastBatchBytes()),
                hooks.clients().create(settings.applicationId(), gate, pacer));
        this.reporter = new EngineReporter(
                settings.instance(),
                settings.engineMetricsTopic(),
                models,
                gate,
                PlainClients.producer(kafka),
                RecordSerdes.serializer(EngineInterval.class, kafka),
                InstantSource.system());
        this.watchdog = new EngineWatchdog(models, settings.engineStallTimeout(), System::nanoTime, this::onStall);
        streams.setUncaughtExceptionHandler(new ThreadFailurePolicy(hooks.observer(), System::nanoTime));
        streams.setStateListener(this::onStateChange);
    }

    /**
     * Checks topics and configuration, joins the group and begins to work. Returns before the first task runs; {@link
     * #awaitRunning} waits for that.
     *
     * @param models by the names that prompts use
     * @throws StartException a topic is missing or does not fit
     * @throws IllegalArgumentException a configuration value cannot be what it is
     */
    public static ProcessorApp start(
            ProcessorSettings settings, Map<String, ServedModel> models, ProcessorHooks hooks) {
        Models served = new Models(models, settings.defaultModel());
        StreamsProperties.checkGuarded(settings.kafka());
        Topics.Facts facts;
        try (Admin admin = PlainClients.admin(settings.kafka())) {
            facts = Topics.prepare(admin, settings);
        }
        LOG.info("limits: pending {}, sizes {}", settings.gate(), facts.limits());
        ProcessorApp app = new ProcessorApp(settings, served, facts, hooks);
        try {
            app.awaitCommands(settings.controlTopic());
        } catch (StartException e) {
            app.close();
            throw e;
        }
        app.reporter.start();
        app.streams.start();
        app.watchdog.start();
        return app;
    }

    /** What is paused or cancelled already must not run for a moment first. */
    private void awaitCommands(String topic) {
        control.start();
        try {
            if (control.awaitCaughtUp(COMMANDS_READ)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StartException("interrupted while the control topic is read", e);
        }
        throw new StartException("control topic " + topic + " was not read to its end within " + COMMANDS_READ + ": "
                + control.trouble().orElse("it is still being read")
                + ". Remedy: see that the brokers that have it answer, that this user may READ it, and that the schema"
                + " registry answers, if commands are Avro");
    }

    /** What follows when a command was read. */
    private record AppliedCommands(Intake intake, ProcessorObserver observer) implements ControlReader.Listener {

        @Override
        public void applied(ControlCommand command) {
            observer.commandApplied(command.getAction());
            intake.commandsChanged();
        }

        @Override
        public void forgotten() {
            intake.commandsChanged();
        }

        @Override
        public void skipped() {
            observer.commandSkipped();
        }
    }

    /** Waits until all tasks run for the first time; answers whether they do. */
    public boolean awaitRunning(Duration timeout) throws InterruptedException {
        return running.await(timeout.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Completes when the application has stopped: {@code CLOSED} or {@code FAILED}. */
    public CompletableFuture<ProcessorStatus.State> stopped() {
        return stopped.copy();
    }

    /** Why the application stopped, where an engine that answers no more was the reason. */
    public Optional<String> stall() {
        return Optional.ofNullable(stall.get()).map(EngineWatchdog.Stall::toString);
    }

    /** How it is. */
    public ProcessorStatus status() {
        Map<String, EngineStats> engines = new TreeMap<>();
        models.all().forEach((name, model) -> engines.put(name, model.engine().stats()));
        return new ProcessorStatus(
                state(), gate.closures(), gate.pending(), gate.pendingBytes(), gate.paused(), gate.limits(), engines);
    }

    /** Kafka Streams' own state and metrics, for binders. */
    public KafkaStreams streams() {
        return streams;
    }

    private ProcessorStatus.State state() {
        if (failed) {
            return ProcessorStatus.State.FAILED;
        }
        return switch (streams.state()) {
            case CREATED -> ProcessorStatus.State.STARTING;
            case REBALANCING ->
                running.getCount() > 0 ? ProcessorStatus.State.STARTING : whileUp(ProcessorStatus.State.REBALANCING);
            case RUNNING -> whileUp(ProcessorStatus.State.RUNNING);
            case PENDING_SHUTDOWN -> ProcessorStatus.State.CLOSING;
            case NOT_RUNNING -> closing.get() ? ProcessorStatus.State.CLOSED : ProcessorStatus.State.FAILED;
            case PENDING_ERROR, ERROR -> ProcessorStatus.State.FAILED;
        };
    }

    private ProcessorStatus.State whileUp(ProcessorStatus.State state) {
        return closing.get() ? ProcessorStatus.State.CLOSING : state;
    }

    private void onStateChange(KafkaStreams.State to, KafkaStreams.State from) {
        LOG.info("{} -> {}", from, to);
        if (to == KafkaStreams.State.RUNNING) {
            running.countDown();
        }
        if (to == KafkaStreams.State.ERROR) {
            failed = true;
            stopped.complete(ProcessorStatus.State.FAILED);
        }
        if (to == KafkaStreams.State.NOT_RUNNING) {
            stopped.complete(failed ? ProcessorStatus.State.FAILED : ProcessorStatus.State.CLOSED);
        }
    }

    /** An intake thread died of an error: what it held would stay pending for ever, so another process must take over. */
    private void onFatal(Thread thread, Throwable error) {
        LOG.error("thread {} died, the application stops", thread.getName(), error);
        fail();
    }

    /** An engine answers no more, and what it was given neither: another process must take over. */
    private void onStall(EngineWatchdog.Stall what) {
        if (closing.get() || !stall.compareAndSet(null, what)) {
            return;
        }
        LOG.error("{}, the application stops", what);
        gate.close(new Closure(Closure.Reason.STALLED, what.model()));
        try {
            // before the process may end
            StateDump.write(what, status(), Path.of(System.getProperty("java.io.tmpdir")));
        } finally {
            fail();
        }
    }

    /** Stops for good, leaving the group so that others take over at once. */
    private void fail() {
        failed = true;
        Thread closer = new Thread(
                () -> {
                    closeStreams();
                    stopped.complete(ProcessorStatus.State.FAILED);
                },
                "millrace-fatal-close");
        closer.setDaemon(true);
        closer.start();
    }

    private void closeStreams() {
        CloseOptions options = CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
                .withTimeout(CLIENTS_CLOSE);
        if (!streams.close(options)) {
            LOG.warn("Kafka's clients did not close within {}", CLIENTS_CLOSE);
        }
    }

    /** Closes without waiting for what is pending: the next owner answers it. */
    @Override
    public void close() {
        var _ = close(Duration.ZERO);
    }

    /**
     * Stops taking prompts, waits until what is pending has ended or the deadline has passed, and leaves the group, so
     * that another instance takes over at once.
     *
     * @return whether nothing was left pending but paused prompts, which are not waited for
     */
    public boolean close(Duration drainDeadline) {
        closing.set(true);
        if (drainDeadline.isPositive()) {
            LOG.info(
                    "closing: {} pending prompts may end within {}; to end this process at once, kill it: nothing is lost",
                    gate.pending(),
                    drainDeadline);
        }
        gate.close(SHUTDOWN);
        intake.quarantine().stop();
        boolean drained = awaitDrained(drainDeadline);
        if (!drained) {
            LOG.info("{} prompts stay pending for the next owner", gate.pending());
            takeMarksBack();
        }
        if (gate.paused() > 0) {
            LOG.info("{} prompts stay paused", gate.paused());
        }
        closeStreams();
        watchdog.close();
        reporter.close();
        control.close();
        intake.close();
        members.close();
        stopped.complete(failed ? ProcessorStatus.State.FAILED : ProcessorStatus.State.CLOSED);
        return drained;
    }

    /** A prompt that was running alone must not be taken for one that has killed us. */
    private void takeMarksBack() {
        try {
            if (!intake.quarantine().takeMarksBack(MARKS_BACK)) {
                LOG.warn("a prompt that ran alone stays marked: its next owner will count a strike");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Prompts that wait for a turn alone do not get one any more: they are the next owner's. */
    private boolean awaitDrained(Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        while (gate.pending() > intake.quarantine().waiting() && System.nanoTime() < end && !stopped.isDone()) {
            try {
                TimeUnit.MILLISECONDS.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return gate.pending() == 0;
    }
}
