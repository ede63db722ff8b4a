package io.millrace.llm.runtime;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.EngineStats;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Rejection;
import io.millrace.llm.backend.DeviceOutOfMemoryException;
import io.millrace.llm.backend.StepRunner;
import io.millrace.llm.runtime.StepResult.Broken;
import io.millrace.llm.runtime.StepResult.Computed;
import io.millrace.llm.runtime.StepResult.ItemResult;
import io.millrace.llm.sampler.SampleRequest;
import io.millrace.llm.sampler.SampledToken;
import io.millrace.llm.scheduler.BatchPlan;
import io.millrace.llm.scheduler.Scheduler;
import io.millrace.llm.scheduler.Sequence;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers prompts on one local model. Requests join and leave the batch at every step; read {@link #step} to know how.
 *
 * <p>Threads: any thread submits, cancels, reads and closes; it tokenizes its own prompt ({@link Admission}) and leaves it in
 * the {@link Inbox}. One engine thread does all the rest and calls all callbacks. An unexpected error ends that thread: the
 * engine is unhealthy from then on, refuses submissions and completes nothing, since it cannot say how requests ended.
 */
public final class LlmEngine implements InferenceEngine {

    private static final Logger log = LoggerFactory.getLogger(LlmEngine.class);

    private final ModelInfo model;
    private final PromptCodec codec;
    private final EngineClock clock;
    private final StepRunner runner;
    private final Admission admission;
    private final Inbox inbox;
    private final Scheduler scheduler;
    private final Device device;
    private final StepPipeline steps;
    private final Flights flights = new Flights();
    private final EngineMeter meter = new EngineMeter();
    private final long[] withoutEnd; // mask of all tokens but those that end an answer
    private final List<Done> done = new ArrayList<>(); // of this step
    private final Thread thread;

    LlmEngine(ModelInfo model, PromptCodec codec, StepRunner runner, EngineBudgets budgets, EngineClock clock) {
        this.model = model;
        this.codec = codec;
        this.clock = clock;
        this.runner = runner;
        admission = new Admission(codec, budgets, clock);
        inbox = new Inbox(budgets.maxWaiting());
        scheduler = new Scheduler(budgets.schedulerLimits());
        withoutEnd = TokenMasks.withoutEnd(codec);
        device = new Device(runner, scheduler, new ItemRequests(), clock);
        steps = new StepPipeline(runner.maxStepsInFlight(), device, scheduler, clock);
        inbox.publish(meter.stats(scheduler), List.of());
        thread = Thread.ofPlatform()
                .name("millrace-engine-" + model.name())
                .daemon()
                .unstarted(this::run);
    }

    /**
     * Loads a model and starts an engine on it. The budgets that it derives are logged.
     *
     * @param modelName the name that requests use
     * @param gguf the model's file
     * @throws io.millrace.llm.gguf.GgufException where the file is corrupt or holds a model that cannot run here
     * @throws IOException where the file cannot be read
     * @throws IllegalArgumentException where an option asks for what the model or the machine cannot give
     * @throws IllegalStateException where the backend that was asked for cannot run here; the message names the remedy
     */
    public static LlmEngine open(String modelName, Path gguf, LlmEngineOptions options) throws IOException {
        LlmEngine engine = EngineLoader.load(modelName, gguf, options);
        engine.start();
        return engine;
    }

    /** A completion on its way to its request's callback. */
    private record Done(Inbox.Ticket ticket, Completion completion, Consumer<? super Completion> onCompletion) {}

    /** What the device needs to know of requests. */
    private final class ItemRequests implements Device.Requests {
        @Override
        public String id(BatchPlan.Item item) {
            return flights.of(item).request().id();
        }

        @Override
        public SampleRequest sampleRequest(BatchPlan.Item item) {
            return flights.of(item).sampleRequest(item.end(), withoutEnd);
        }
    }

    @Override
    public ModelInfo model() {
        return model;
    }

    @Override
    public Optional<Rejection> submit(InferenceRequest request, Consumer<? super Completion> onCompletion) {
        Inbox.Ticket ticket = new Inbox.Ticket(request.id());
        Optional<Rejection> rejection = inbox.reserve(ticket);
        if (rejection.isEmpty()) {
            inbox.put(new Inbox.Arrival(ticket, check(request, ticket), onCompletion));
        }
        return rejection;
    }

    private Admission.Outcome check(InferenceRequest request, Inbox.Ticket ticket) {
        try {
            return admission.check(request);
        } catch (Error e) {
            inbox.release(ticket);
            throw e;
        }
    }

    @Override
    public void cancel(String requestId) {
        inbox.cancel(requestId);
    }

    @Override
    public void setPriority(String requestId, int priority) {
        inbox.setPriority(requestId, priority);
    }

    @Override
    public int generatedTokens(String requestId) {
        return inbox.generatedTokens(requestId);
    }

    @Override
    public boolean isBroken() {
        return inbox.isBroken();
    }

    @Override
    public EngineStats stats() {
        return inbox.stats();
    }

    @Override
    public String describe() {
        return String.format(
                "model %s: %s%n%s", model.name(), stats(), device.progress().describe(clock.nanoTime()));
    }

    @Override
    public void close() {
        inbox.close();
        if (Thread.currentThread() != thread) {
            Uninterruptibles.join(thread);
        }
    }

    /** Starts the engine thread. */
    void start() {
        thread.start();
    }

    private void run() {
        try (runner) {
            while (inbox.isOpen()) {
                if (isIdle()) {
                    inbox.await();
                }
                step();
            }
            steps.abandon();
        } catch (InterruptedException | RuntimeException | Error e) {
            inbox.fail();
            log.error("engine {} failed: it takes and completes nothing more", model.name(), e);
        }
    }

    /** One turn of the engine: admit → schedule → launch → collect → complete. */
    void step() {
        admit(inbox.drain());
        BatchPlan plan = scheduler.plan();
        if (!plan.isEmpty()) {
            steps.launch(plan);
        }
        if (steps.isFull() || (plan.isEmpty() && !steps.isEmpty())) {
            StepResult result = steps.collect();
            meter.collected(result);
            for (ItemResult item : result.items()) {
                advance(result, item);
            }
        }
        complete();
    }

    boolean isIdle() {
        return flights.isEmpty() && steps.isEmpty();
    }

    private void admit(Inbox.Mail mail) {
        for (Inbox.Arrival arrival : mail.arrivals()) {
            switch (arrival.outcome()) {
                case Admission.Refused refused ->
                    done.add(new Done(arrival.ticket(), refused.failure(), arrival.onCompletion()));
                case Admission.Accepted accepted -> {
                    InferenceRequest request = accepted.request();
                    Sequence sequence = scheduler.enqueue(
                            arrival.ticket().priority(request.priority()),
                            request.tenant(),
                            accepted.prompt(),
                            accepted.maxLength());
                    flights.add(new Flight(arrival, accepted, sequence));
                }
            }
        }
        for (Flight flight : flights.reprioritized(mail)) {
            scheduler.setPriority(flight.sequence(), flight.priority());
        }
        for (Flight flight : flights.cancelled(mail)) {
            fail(flight, FailureCode.CANCELLED, "cancelled on request");
        }
        for (Flight flight : flights.overdue(clock.nanoTime())) {
            fail(
                    flight,
                    FailureCode.DEADLINE_EXCEEDED,
                    "deadline=" + flight.deadline().at() + ", passed while "
                            + flight.sequence().state().name().toLowerCase(Locale.ROOT));
        }
    }

    private void advance(StepResult step, ItemResult result) {
        Flight flight = flights.of(result.item());
        meter.promptTokens(flight.worked(step.plan(), result.item(), step.launchedNanos()));
        switch (result) {
            case Broken broken -> fail(flight, FailureCode.ENGINE_ERROR, reason(broken));
            case Computed computed -> computed.token().ifPresent(token -> drawn(flight, token));
        }
    }

    private static String reason(Broken broken) {
        String what = broken.cause() instanceof DeviceOutOfMemoryException
                ? "this request exhausts memory in steps of a single token: "
                : "the step of this request failed: ";
        String message = broken.cause().getMessage();
        return what + (message == null ? broken.cause().toString() : message);
    }

    private void drawn(Flight flight, SampledToken token) {
        long now = clock.nanoTime();
        meter.generatedToken();
        Optional<FinishReason> reason = flight.drawn(token, codec, now);
        reason.ifPresent(why -> finish(flight, flight.completed(model, why, now)));
    }

    private void fail(Flight flight, FailureCode code, String message) {
        finish(flight, flight.failed(code, message, clock.nanoTime()));
    }

    private void finish(Flight flight, Completion completion) {
        scheduler.finish(flight.sequence());
        flights.remove(flight);
        done.add(new Done(flight.ticket(), completion, flight.onCompletion()));
    }

    /** Counters first, so that a callback sees its own request gone. */
    private void complete() {
        inbox.publish(meter.stats(scheduler), done.stream().map(Done::ticket).toList());
        for (Done each : done) {
            try {
                each.onCompletion().accept(each.completion());
            } catch (RuntimeException e) {
                log.error("the callback of request {} threw", each.completion().requestId(), e);
            }
        }
        done.clear();
    }
}
