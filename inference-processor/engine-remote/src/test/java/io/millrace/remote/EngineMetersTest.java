package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.millrace.engine.Completion;
import io.millrace.engine.Completion.BatchShare;
import io.millrace.engine.Completion.FinishReason;
import io.millrace.engine.Completion.Timings;
import io.millrace.engine.Completion.Usage;
import io.millrace.engine.EngineStats;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Output;
import io.millrace.remote.protocol.ServerCall;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EngineMetersTest {

    private final EngineMeters meters = new EngineMeters();

    private EngineStats statsAt(long nanos) {
        return meters.stats(true, 0, 0, 0, nanos);
    }

    @Test
    void shouldBeBusyWhileAnythingRuns() {
        meters.running(1, 10);
        assertThat(statsAt(15).busyNanosTotal()).isEqualTo(5);
        meters.running(2, 20);
        meters.running(1, 25);
        meters.running(0, 30);
        assertThat(statsAt(100).busyNanosTotal()).isEqualTo(20);
        meters.running(1, 200);
        assertThat(statsAt(201).busyNanosTotal()).isEqualTo(21);
        meters.running(0, 205);
        assertThat(statsAt(1000).busyNanosTotal()).isEqualTo(25);
    }

    @Test
    void shouldCountPartsAndHowManyRequestsRanMeanwhile() {
        meters.running(3, 0);
        meters.part(2);
        meters.running(1, 0);
        meters.part(1);

        EngineStats stats = statsAt(0);
        assertThat(stats.stepsTotal()).isEqualTo(3);
        assertThat(stats.stepSequencesTotal()).isEqualTo(7);
    }

    @Test
    void shouldTimeTheFirstTokenAndTheWhole() {
        FakeClock clock = new FakeClock();
        RemoteOptions options = RemoteOptions.builder("m")
                .endpoints(List.of(RemoteOptions.Server.of("a", URI.create("http://a/v1"))))
                .build();
        BackOff backOff = new BackOff(Duration.ofMillis(1), Duration.ofMillis(1), new Random(1));
        Endpoint endpoint = new Endpoint(options.endpoints().getFirst(), options, backOff, SlackGate.OPEN, clock);
        ServerCall call = new ServerCall(
                "/x", new byte[0], ServerCall.Delivery.STREAMED, new ServerCall.PromptSize(1, 0), "", () -> {
                    throw new AssertionError("not sent");
                });
        Attempt attempt = endpoint.begin(call, 1);
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        meters.bindTo(registry, "m", List.of("a"));
        long sent = attempt.sentNanos();
        attempt.firstToken(sent + 2_000_000);
        meters.answered(attempt, completed(), sent + 5_000_000);

        assertThat(registry.get("millrace.remote.time.to.first.token").timer().totalTime(TimeUnit.MILLISECONDS))
                .isEqualTo(2);
        assertThat(registry.get("millrace.remote.request").timer().totalTime(TimeUnit.MILLISECONDS))
                .isEqualTo(5);
        assertThat(statsAt(0).promptTokensTotal()).isEqualTo(3);
        assertThat(statsAt(0).generationTokensTotal()).isEqualTo(4);
    }

    private static Completion.Completed completed() {
        return new Completion.Completed(
                "r",
                new ModelInfo("m", Optional.empty(), Optional.empty(), 10),
                Optional.of("a"),
                new Output.Text("x", List.of(), List.of(), List.of()),
                FinishReason.STOP,
                new Usage(3, 0, 4),
                new Timings(0, 0, 0, 0, 0),
                new BatchShare(1, 1, 1, 0));
    }
}
