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
import io.millrace.remote.WholeServer.Measure;
import io.millrace.remote.protocol.Answer;
import io.millrace.remote.protocol.Answer.TokenCounts;
import io.millrace.remote.protocol.Fault;
import io.millrace.remote.protocol.OpenAiProtocol;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The dispatcher before a server that answers in one piece, in simulated time: is it full, and is its queue short? */
class ThroughputLimitSimulationTest implements Dispatcher.Actions {

    private static final double MEAN_SECONDS = 0.05;

    private final FakeClock clock = new FakeClock();
    private final Random random = new Random(1);
    private final Endpoint endpoint;
    private final Dispatcher dispatcher;
    private final OpenAiProtocol protocol = new OpenAiProtocol("m", Map.of());
    private final WholeServer server = new WholeServer(1, clock);
    private double meanSeconds = MEAN_SECONDS;
    private double spread;
    private Operation operation = Operation.EMBED;
    private boolean refuses;
    private int submitted;

    ThroughputLimitSimulationTest() {
        RemoteOptions options = RemoteOptions.builder("m")
                .endpoints(List.of(RemoteOptions.Server.of("a", URI.create("http://a/v1"))))
                .build();
        BackOff backOff = new BackOff(Duration.ofMillis(1), Duration.ofMillis(1), random);
        endpoint = new Endpoint(options.endpoints().getFirst(), options, backOff, SlackGate.OPEN, clock);
        ModelInfo model = new ModelInfo("m", Optional.empty(), Optional.empty(), 1);
        dispatcher = new Dispatcher(model, options, List.of(endpoint), backOff, clock, new EngineMeters(), this);
    }

    /** As many requests as it takes, for so many answers. */
    private Measure run(long answers) {
        Measure before = server.measure();
        for (long i = 0; i < answers; i++) {
            submit();
            server.step();
        }
        return server.measure().since(before);
    }

    private void submit() {
        while (dispatcher.refusal().isEmpty()) {
            submitOne();
        }
    }

    private void submitOne() {
        InferenceRequest request = new InferenceRequest(
                "r" + submitted++,
                operation,
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

    @Override
    public void send(Flight flight, Attempt attempt) {
        Answer answer = new Answer(
                new Output.Embedding(List.of(1f)),
                FinishReason.STOP,
                new TokenCounts(OptionalInt.of(1), 0, OptionalInt.of(0)),
                Optional.empty());
        Outcome refusal = new Outcome.Faulted(Fault.Refused.invalid("no"), "");
        double seconds = refuses ? 0.001 : meanSeconds * (1 + spread * (2 * random.nextDouble() - 1));
        boolean isRefused = refuses;
        server.add(Math.max(1, (long) (seconds * 1e9)), () -> {
            if (isRefused) {
                dispatcher.ended(flight, attempt, refusal);
                return;
            }
            attempt.cameWhole();
            dispatcher.firstToken(flight, attempt);
            dispatcher.ended(flight, attempt, new Outcome.Answered(answer));
        });
    }

    @Override
    public void complete(Flight flight, Completion completion) {}

    @ParameterizedTest(name = "{0}: {1} slots, spread {2}")
    @CsvSource({
        "EMBED, 1, 0",
        "EMBED, 1, 0.9",
        "EMBED, 2, 0.5",
        "EMBED, 4, 0",
        "EMBED, 4, 0.9",
        "EMBED, 16, 0",
        "EMBED, 16, 0.5",
        "EMBED, 16, 0.9",
        "EMBED, 64, 0.9",
        "EMBED, 150, 0.5",
        // a gateway that does not stream what is asked for as a stream
        "GENERATE, 16, 0.5",
    })
    void shouldFillAServerOfSlotsAndKeepItsQueueShort(Operation asked, int slots, double varies) {
        operation = asked;
        spread = varies;
        server.slots(slots);
        run(Math.max(3000, slots * 150L));

        Measure measured = run(Math.max(4000, slots * 150L));

        assertThat(measured.meanBusy() / slots).isGreaterThanOrEqualTo(0.9);
        // what a third fewer would cost 5% of, and the trials
        assertThat(measured.meanQueue()).isLessThanOrEqualTo(0.43 * slots + 4);
    }

    @Test
    void shouldFollowAServerThatLosesSlotsAndGetsThemBack() {
        spread = 0.5;
        server.slots(16);
        run(16 * 400);

        server.slots(4);
        run(4 * 400);
        Measure few = run(4 * 400);
        assertThat(few.meanBusy() / 4).isGreaterThanOrEqualTo(0.9);
        assertThat(few.meanQueue()).isLessThanOrEqualTo(5);

        server.slots(16);
        run(16 * 200);
        Measure many = run(16 * 400);
        assertThat(many.meanBusy() / 16).isGreaterThanOrEqualTo(0.9);
        assertThat(many.meanQueue()).isLessThanOrEqualTo(9);
    }

    @Test
    void shouldFollowAServerFromOneSlotToMany() {
        server.slots(1);
        run(3000);
        server.slots(16);
        run(16 * 200);

        assertThat(run(16 * 200).meanBusy() / 16).isGreaterThanOrEqualTo(0.9);
    }

    @ParameterizedTest
    @ValueSource(doubles = {3, 1 / 3.0})
    void shouldStayWhereItIsWhenAllTextsGetLongerOrShorter(double factor) {
        spread = 0.5;
        server.slots(16);
        run(16 * 400);

        meanSeconds *= factor;
        Measure measured = run(16 * 400);

        assertThat(measured.meanBusy() / 16).isGreaterThanOrEqualTo(0.9);
        assertThat(measured.meanQueue()).isLessThanOrEqualTo(9);
    }

    /** The more it gets at once, the more it does: up to all that may run, or as long as half as many more bring something. */
    @ParameterizedTest(name = "{0} µs for a batch, {1} for each in it")
    @CsvSource({"15000, 50, 0.95", "5000, 500, 0.7", "100, 1000, 0.85"})
    void shouldGiveAServerThatBatchesLargeBatches(long batchMicros, long eachMicros, double partOfBest) {
        server.slots(0);
        runBatches(300, batchMicros, eachMicros);

        Measure measured = runBatches(300, batchMicros, eachMicros);

        double best = 256 / ((batchMicros + 256 * eachMicros) / 1e6);
        assertThat(measured.perSecond() / best).isGreaterThanOrEqualTo(partOfBest);
    }

    private Measure runBatches(int batches, long batchMicros, long eachMicros) {
        Measure before = server.measure();
        for (int i = 0; i < batches; i++) {
            submit();
            server.stepBatch(batchMicros * 1000, eachMicros * 1000);
        }
        return server.measure().since(before);
    }

    @Test
    void shouldNotTakeRefusalsForFastAnswersNorFewRequestsForAFullServer() {
        server.slots(16);
        run(16 * 200);
        int limit = endpoint.limit();
        assertThat(limit).isGreaterThanOrEqualTo(12);

        refuses = true;
        run(16 * 200);
        assertThat(endpoint.limit()).isGreaterThanOrEqualTo(12);

        refuses = false;
        for (int i = 0; i < 2000; i++) {
            submitOne();
            while (dispatcher.stats().waiting() > 0 || dispatcher.stats().running() > 1) {
                server.step();
            }
        }
        assertThat(endpoint.limit()).isBetween(limit * 2 / 3, limit * 3 / 2);
    }
}
