package io.millrace.remote;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.engine.FailureCode;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.InvalidRequestException;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Rejection;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.protocol.Answer;
import io.millrace.remote.protocol.AnswerReader;
import io.millrace.remote.protocol.Fault;
import io.millrace.remote.protocol.FaultException;
import io.millrace.remote.protocol.OpenAiProtocol;
import io.millrace.remote.protocol.OpenInferenceProtocol;
import io.millrace.remote.protocol.Protocol;
import io.millrace.remote.protocol.ServerCall;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers prompts by asking model servers over HTTP. Accepted requests wait here until a server has room; a server that is away
 * costs time, never a request.
 *
 * <p>Threads: any thread submits, cancels, reads and closes. Each request in flight has a virtual thread that sends it and
 * reads the answer ({@link Exchange}); all decisions are the {@link Dispatcher}'s, under its monitor; a thread that ticks
 * sees to timeouts and pauses; another calls the callbacks ({@link Callbacks}).
 */
public final class RemoteEngine implements InferenceEngine, MeterBinder {

    private static final Logger log = LoggerFactory.getLogger(RemoteEngine.class);

    /** Timeouts, deadlines and pauses are kept to within this. */
    private static final Duration TICK = Duration.ofMillis(20);

    /** An attempt that was interrupted ends at once; one that does not is left behind. */
    private static final Duration MOST_TO_CLOSE = Duration.ofSeconds(5);

    private final ModelInfo model;
    private final Protocol protocol;
    private final RemoteClock clock;
    private final Connections connections;
    private final Exchange exchange;
    private final EngineMeters meters = new EngineMeters();
    private final List<Endpoint> endpoints = new ArrayList<>();
    private final List<SlackSignal> signals = new ArrayList<>();
    private final Callbacks callbacks;
    private final Dispatcher dispatcher;
    private final Thread ticker;

    private RemoteEngine(String modelName, RemoteOptions options, RemoteClock clock) {
        this.clock = clock;
        model = new ModelInfo(
                modelName,
                options.version(),
                Optional.empty(),
                options.maxModelLen().orElse(Integer.MAX_VALUE));
        protocol = protocol(options);
        connections = new Connections(() -> client(options.connection()));
        exchange = new Exchange(connections, options.connection(), clock);
        BackOff backOff = new BackOff(
                options.retries().firstBackOff(),
                options.retries().longestBackOff(),
                () -> ThreadLocalRandom.current().nextLong());
        for (Server server : options.endpoints()) {
            endpoints.add(new Endpoint(server, options, backOff, slack(options, server), clock));
        }
        callbacks = new Callbacks(modelName);
        dispatcher = new Dispatcher(model, options, endpoints, backOff, clock, meters, new Actions());
        ticker = Thread.ofVirtual().name("millrace-remote-tick-" + modelName).unstarted(this::tick);
    }

    /**
     * An engine that asks servers. None has to be there yet.
     *
     * @param modelName the name that requests use
     * @throws IllegalArgumentException when a file or a variable that the options name is not what it should be
     */
    public static RemoteEngine open(String modelName, RemoteOptions options) {
        RemoteEngine engine = new RemoteEngine(modelName, options, RemoteClock.SYSTEM);
        engine.ticker.start();
        engine.signals.forEach(SlackSignal::start);
        log.info("model {}: {}", modelName, engine.describe());
        return engine;
    }

    private static Protocol protocol(RemoteOptions options) {
        return switch (options.dialect()) {
            case RemoteOptions.OpenAi _ -> new OpenAiProtocol(options.model(), options.extraBody());
            case RemoteOptions.OpenInference(
                    OpenInferenceProtocol.Method method,
                    OpenInferenceProtocol.Tensors tensors) ->
                new OpenInferenceProtocol(options.model(), method, tensors, options.extraBody());
        };
    }

    static HttpClient client(RemoteOptions.Connection options) {
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(options.version())
                .connectTimeout(options.connectTimeout())
                .followRedirects(Redirect.NEVER);
        options.tls().ifPresent(tls -> builder.sslContext(PemTls.context(tls)));
        options.proxy()
                .ifPresent(at -> builder.proxy(
                        ProxySelector.of(new InetSocketAddress(at.getHost(), at.getPort() < 0 ? 80 : at.getPort()))));
        return builder.build();
    }

    private SlackGate slack(RemoteOptions options, Server server) {
        if (options.slack().isEmpty()) {
            return SlackGate.OPEN;
        }
        RemoteOptions.Slack slack = options.slack().get();
        SlackGate.BySignal gate = new SlackGate.BySignal(slack);
        signals.add(new SlackSignal(SignalReader.of(connections, options, slack, server), slack, gate, clock));
        return gate;
    }

    /** What the dispatcher decides. */
    private final class Actions implements Dispatcher.Actions {
        @Override
        public void send(Flight flight, Attempt attempt) {
            attempt.start(Thread.ofVirtual()
                    .name("millrace-remote-" + attempt.endpoint().name())
                    .unstarted(() -> run(flight, attempt)));
        }

        @Override
        public void complete(Flight flight, Completion completion) {
            callbacks.call(flight.onCompletion(), completion);
        }
    }

    private void run(Flight flight, Attempt attempt) {
        AnswerReader reader = flight.call().reader().get();
        Outcome outcome;
        try {
            Answer answer = exchange.ask(flight.call(), attempt, reader, parts -> progress(flight, attempt, parts));
            outcome = new Outcome.Answered(answer);
        } catch (FaultException e) {
            outcome = new Outcome.Faulted(e.fault(), reader.text());
        } catch (InterruptedException e) {
            Attempt.Stop why = attempt.stopped();
            outcome = new Outcome.Stopped(why == null ? Attempt.Stop.CLOSED : why, reader.text());
        } catch (RuntimeException e) {
            log.error("an attempt of request {} failed", flight.request().id(), e);
            outcome = new Outcome.Faulted(new Fault.Broken(Fault.Kind.BROKEN_BODY, e.toString()), reader.text());
        }
        dispatcher.ended(flight, attempt, outcome);
    }

    private void progress(Flight flight, Attempt attempt, int parts) {
        int more = parts - flight.parts();
        if (more > 0) {
            flight.parts(parts);
            meters.part(more);
            if (!attempt.hasToken()) {
                dispatcher.firstToken(flight, attempt);
            }
        }
    }

    private void tick() {
        try {
            while (true) {
                Thread.sleep(TICK);
                safeTick();
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    /** What waits for time to pass must not wait for ever. */
    private void safeTick() {
        try {
            dispatcher.tick();
        } catch (RuntimeException e) {
            log.error("model {}: timeouts and pauses could not be seen to", model.name(), e);
        }
    }

    @Override
    public ModelInfo model() {
        return model;
    }

    @Override
    public Optional<Rejection> submit(InferenceRequest request, Consumer<? super Completion> onCompletion) {
        Optional<Rejection> refusal = dispatcher.refusal();
        if (refusal.isPresent()) {
            return refusal;
        }
        ServerCall call;
        try {
            call = protocol.call(request);
        } catch (InvalidRequestException e) {
            callbacks.call(
                    onCompletion,
                    Completion.Failed.of(request.id(), FailureCode.INVALID_REQUEST, String.valueOf(e.getMessage())));
            return Optional.empty();
        }
        return dispatcher.accept(new Flight(request, call, onCompletion, clock));
    }

    @Override
    public void cancel(String requestId) {
        dispatcher.cancel(requestId);
    }

    @Override
    public void setPriority(String requestId, int priority) {
        dispatcher.setPriority(requestId, priority);
    }

    @Override
    public int generatedTokens(String requestId) {
        return dispatcher.generatedTokens(requestId);
    }

    @Override
    public boolean awaitsServer() {
        return dispatcher.awaitsServer();
    }

    @Override
    public EngineStats stats() {
        return dispatcher.stats();
    }

    @Override
    public String describe() {
        return model.name() + ": " + stats() + System.lineSeparator() + dispatcher.describe();
    }

    /** Meters of each endpoint: in flight, limit, tokens, latencies, errors by kind, retries, breaker state, slack. */
    @Override
    public void bindTo(MeterRegistry registry) {
        meters.bindTo(
                registry, model.name(), endpoints.stream().map(Endpoint::name).toList());
        for (Endpoint endpoint : endpoints) {
            gauge(registry, endpoint, "in.flight", "Requests in flight to an endpoint.", Endpoint::inFlight);
            gauge(
                    registry,
                    endpoint,
                    "limit",
                    "Most requests in flight, as the adaptive limit has it.",
                    Endpoint::limit);
            gauge(
                    registry,
                    endpoint,
                    "tokens.in.flight",
                    "Tokens of requests in flight, prompt and answer, as estimated.",
                    Endpoint::tokensInFlight);
            gauge(
                    registry,
                    endpoint,
                    "breaker.state",
                    "Circuit breaker: 0 closed, 1 half open, 2 open.",
                    RemoteEngine::stateNumber);
            gauge(
                    registry,
                    endpoint,
                    "slack.fraction",
                    "Part of the budgets that live traffic leaves, 0 to 1.",
                    Endpoint::slackFraction);
        }
    }

    private static double stateNumber(Endpoint endpoint) {
        return switch (endpoint.breakerState()) {
            case OPEN, FORCED_OPEN -> 2;
            case HALF_OPEN -> 1;
            case CLOSED, DISABLED, METRICS_ONLY -> 0;
        };
    }

    private void gauge(
            MeterRegistry registry,
            Endpoint endpoint,
            String name,
            String description,
            ToDoubleFunction<Endpoint> read) {
        Gauge.builder("millrace.remote." + name, () -> dispatcher.look(endpoint, read))
                .description(description)
                .tags(Tags.of("model_name", model.name(), "endpoint", endpoint.name()))
                .register(registry);
    }

    @Override
    public void close() {
        List<Attempt> attempts = dispatcher.close();
        callbacks.close();
        ticker.interrupt();
        signals.forEach(SlackSignal::close);
        connections.close();
        try {
            for (Attempt attempt : attempts) {
                attempt.join(MOST_TO_CLOSE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
