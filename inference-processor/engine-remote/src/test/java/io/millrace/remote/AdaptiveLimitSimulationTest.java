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
import io.millrace.remote.SlotServer.Costs;
import io.millrace.remote.SlotServer.Job;
import io.millrace.remote.SlotServer.Measure;
import io.millrace.remote.protocol.Answer;
import io.millrace.remote.protocol.Answer.TokenCounts;
import io.millrace.remote.protocol.OpenAiProtocol;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The dispatcher before a server of so many slots, in simulated time: is it full, and does next to nothing queue in it? */
class AdaptiveLimitSimulationTest {

    private static final int WARM_UP = 40; // rounds of requests per slot
    private static final int MEASURED = 60;

    /** Lengths of prompts and answers, and how much they vary. */
    private record Load(int promptTokens, int answerTokens, double spread) {
        Job job(Random random, Runnable onFirstToken, Runnable onEnd) {
            return new Job(length(random, promptTokens), length(random, answerTokens), onFirstToken, onEnd);
        }

        private int length(Random random, int mean) {
            return Math.max(1, (int) (mean * (1 + spread * (2 * random.nextDouble() - 1))));
        }
    }

    @ParameterizedTest(name = "{0}: {1} slots, {2} in, {3} out")
    @CsvSource({
        // a slow processor: reading is dear, and each sequence of a batch costs
        "cpu, 1, 64, 32, 0.5",
        "cpu, 4, 64, 32, 0.5",
        "cpu, 16, 64, 32, 0.5",
        "cpu, 16, 64, 32, 0",
        "cpu, 16, 256, 16, 0.5",
        "cpu, 16, 16, 200, 0.8",
        // an accelerator: a step costs the same whatever is in it, almost
        "gpu, 16, 200, 100, 0.5",
        "gpu, 64, 500, 200, 0.5",
        "gpu, 64, 500, 200, 0",
        "gpu, 200, 1000, 50, 0.9",
    })
    void shouldFillAServerAndLeaveNextToNothingInItsQueue(
            String machine, int slots, int promptTokens, int answerTokens, double spread) {
        Costs costs = machine.equals("cpu")
                ? new Costs(5_000_000, 2_800_000, 1_800_000)
                : new Costs(15_000_000, 50_000, 30_000);
        Load load = new Load(promptTokens, answerTokens, spread);
        double best = List.of(1, 2, 4, 8, 16, 32, 64, 128, 256).stream()
                .mapToDouble(clients -> direct(clients, slots, costs, load).tokensPerSecond())
                .max()
                .orElseThrow();

        Run run = new Run(slots, costs, load);
        Measure measured = run.measure();

        assertThat(measured.tokensPerSecond() / best)
                .as("of the best direct client; limit %d", run.endpoint.limit())
                .isGreaterThanOrEqualTo(0.97);
        assertThat(measured.meanQueue())
                .as("mean queue in the server; limit %d", run.endpoint.limit())
                .isLessThanOrEqualTo(1.2);
    }

    /** So many clients that each send the next when they have an answer. */
    private static Measure direct(int clients, int slots, Costs costs, Load load) {
        Random random = new Random(1);
        SlotServer server = new SlotServer(slots, costs, new FakeClock());
        int[] left = {slots * (WARM_UP + MEASURED)};
        for (int i = 0; i < clients; i++) {
            client(server, load, random, left);
        }
        Measure before = null;
        while (left[0] > 0 && server.step()) {
            if (before == null && left[0] < slots * MEASURED) {
                before = server.measure(Optional.empty());
            }
        }
        return server.measure(Optional.ofNullable(before));
    }

    private static void client(SlotServer server, Load load, Random random, int[] left) {
        if (left[0]-- > 0) {
            server.add(load.job(random, () -> {}, () -> client(server, load, random, left)));
        }
    }

    /** The dispatcher with as many requests as it takes. */
    private static final class Run implements Dispatcher.Actions {
        private final FakeClock clock = new FakeClock();
        private final Random random = new Random(1);
        private final SlotServer server;
        private final Load load;
        private final int slots;
        private final Endpoint endpoint;
        private final Dispatcher dispatcher;
        private final OpenAiProtocol protocol = new OpenAiProtocol("m", Map.of());
        private int submitted;
        private int ended;

        Run(int slots, Costs costs, Load load) {
            this.slots = slots;
            this.load = load;
            server = new SlotServer(slots, costs, clock);
            RemoteOptions options = RemoteOptions.builder("m")
                    .endpoints(List.of(RemoteOptions.Server.of("a", URI.create("http://a/v1"))))
                    .build();
            BackOff backOff = new BackOff(Duration.ofMillis(1), Duration.ofMillis(1), random);
            endpoint = new Endpoint(options.endpoints().getFirst(), options, backOff, SlackGate.OPEN, clock);
            EngineMeters meters = new EngineMeters();
            ModelInfo model = new ModelInfo("m", Optional.empty(), Optional.empty(), 1);
            dispatcher = new Dispatcher(model, options, List.of(endpoint), backOff, clock, meters, this);
        }

        Measure measure() {
            submit();
            Measure before = null;
            while (ended < slots * (WARM_UP + MEASURED)) {
                assertThat(server.step()).isTrue();
                submit();
                if (before == null && ended > slots * WARM_UP) {
                    before = server.measure(Optional.empty());
                }
            }
            return server.measure(Optional.ofNullable(before));
        }

        private void submit() {
            while (dispatcher.refusal().isEmpty()) {
                InferenceRequest request = new InferenceRequest(
                        "r" + submitted++,
                        Operation.GENERATE,
                        new Input.Text("abc"),
                        SamplingParameters.DEFAULT,
                        Optional.empty(),
                        0,
                        0,
                        "",
                        Optional.empty(),
                        clock.nanoTime());
                assertThat(dispatcher.accept(new Flight(request, protocol.call(request), _ -> {}, clock)))
                        .isEmpty();
            }
        }

        @Override
        public void send(Flight flight, Attempt attempt) {
            Answer answer = new Answer(
                    new Output.Text("a", List.of(), List.of(), List.of()),
                    FinishReason.STOP,
                    new TokenCounts(OptionalInt.of(1), 0, OptionalInt.of(1)),
                    Optional.empty());
            server.add(load.job(random, () -> dispatcher.firstToken(flight, attempt), () -> {
                ended++;
                dispatcher.ended(flight, attempt, new Outcome.Answered(answer));
            }));
        }

        @Override
        public void complete(Flight flight, Completion completion) {}
    }
}
