package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.protocol.Answer;
import io.millrace.remote.protocol.Answer.TokenCounts;
import io.millrace.remote.protocol.Fault;
import io.millrace.remote.protocol.Fault.Kind;
import io.millrace.remote.protocol.OpenAiProtocol;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.function.UnaryOperator;

/** A dispatcher, and all it has to do with: time is the test's, and so is what servers say. */
abstract class DispatcherHarness implements Dispatcher.Actions {

    final FakeClock clock = new FakeClock();
    Optional<String> version = Optional.empty();
    final Map<String, Attempt> sent = new LinkedHashMap<>(); // by request, not yet ended
    final Map<String, Flight> flights = new LinkedHashMap<>();
    final Map<String, Completion> completions = new LinkedHashMap<>();
    final List<Endpoint> endpoints = new ArrayList<>();

    @Override
    public void send(Flight flight, Attempt attempt) {
        sent.put(flight.request().id(), attempt);
        flights.put(flight.request().id(), flight);
    }

    @Override
    public void complete(Flight flight, Completion completion) {
        assertThat(completions.put(flight.request().id(), completion)).isNull();
    }

    Dispatcher dispatcher(List<Server> servers, UnaryOperator<RemoteOptions.Builder> change) {
        RemoteOptions options = change.apply(RemoteOptions.builder("m")
                        .endpoints(servers)
                        .retries(new RemoteOptions.Retries(3, 1, Duration.ofSeconds(1), Duration.ofSeconds(8))))
                .build();
        BackOff backOff =
                new BackOff(options.retries().firstBackOff(), options.retries().longestBackOff(), new Random(1));
        EngineMeters meters = new EngineMeters();
        for (Server server : options.endpoints()) {
            endpoints.add(new Endpoint(server, options, backOff, SlackGate.OPEN, clock));
        }
        ModelInfo model = new ModelInfo("m", version, Optional.empty(), 1);
        return new Dispatcher(model, options, endpoints, backOff, clock, meters, this);
    }

    static Server server(String name, int maxInFlight, OptionalLong tokens) {
        return new Server(name, URI.create("http://" + name + "/v1"), maxInFlight, tokens, Optional.empty());
    }

    static List<Server> servers(String... names) {
        return List.of(names).stream()
                .map(name -> server(name, 8, OptionalLong.empty()))
                .toList();
    }

    void accept(Dispatcher dispatcher, String id, String prompt, int maxTokens) {
        accept(dispatcher, id, prompt, maxTokens, Operation.GENERATE);
    }

    void accept(Dispatcher dispatcher, String id, String prompt, int maxTokens, Operation operation) {
        accept(dispatcher, id, prompt, maxTokens, operation, Optional.empty());
    }

    void accept(
            Dispatcher dispatcher,
            String id,
            String prompt,
            int maxTokens,
            Operation operation,
            Optional<Instant> deadline) {
        InferenceRequest request = new InferenceRequest(
                id,
                operation,
                new Input.Text(prompt),
                SamplingParameters.builder().maxTokens(maxTokens).build(),
                Optional.empty(),
                0,
                0,
                "",
                deadline,
                clock.nanoTime());
        OpenAiProtocol protocol = new OpenAiProtocol("m", Map.of());
        assertThat(dispatcher.accept(new Flight(request, protocol.call(request), _ -> {}, clock)))
                .isEmpty();
    }

    Attempt attempt(String id) {
        return Objects.requireNonNull(sent.get(id), id);
    }

    String endpointOf(String id) {
        return attempt(id).endpoint().name();
    }

    void end(Dispatcher dispatcher, String id, Outcome outcome) {
        Attempt attempt = attempt(id);
        sent.remove(id);
        dispatcher.ended(Objects.requireNonNull(flights.get(id), id), attempt, outcome);
    }

    void firstToken(Dispatcher dispatcher, String id) {
        dispatcher.firstToken(Objects.requireNonNull(flights.get(id), id), attempt(id));
    }

    static Outcome answered() {
        return new Outcome.Answered(new Answer(
                new Output.Text("a", List.of(), List.of(), List.of()),
                FinishReason.STOP,
                new TokenCounts(OptionalInt.of(1), 0, OptionalInt.of(1)),
                Optional.empty()));
    }

    static Outcome away() {
        return away(Kind.UNAVAILABLE);
    }

    static Outcome away(Kind kind) {
        return new Outcome.Faulted(new Fault.Away(kind, "down", Optional.empty()), "");
    }

    static Outcome broken() {
        return new Outcome.Faulted(new Fault.Broken(Kind.SERVER_ERROR, "oops"), "");
    }

    void tickAfter(Dispatcher dispatcher, Duration time) {
        clock.advance(time);
        dispatcher.tick();
    }
}
