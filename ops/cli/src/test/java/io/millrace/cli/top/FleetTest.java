package io.millrace.cli.top;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.millrace.schemas.EngineInterval;
import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import io.millrace.schemas.InferenceMetrics;
import io.millrace.schemas.Source;
import io.millrace.schemas.Timings;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class FleetTest {

    private static final Instant NOW = Instant.parse("2026-11-24T12:00:00Z");
    private static final Duration WINDOW = Duration.ofSeconds(10);

    private final Fleet fleet = new Fleet(WINDOW);

    @Test
    void shouldAverageOverTheWindowAndForgetWhatIsOlder() {
        // 20 seconds, of which the last ten count
        for (int second = 20; second >= 1; second--) {
            fleet.add(interval("a", "m", NOW.minusSeconds(second)).build());
            fleet.add(answered("a", "m", NOW.minusSeconds(second).plusMillis(500), second));
        }

        FleetView view = fleet.view(NOW);

        FleetView.Engine engine = view.engines().getFirst();
        assertThat(view.instances()).isEqualTo(1);
        assertThat(engine.flow().prompts()).isEqualTo(1, within(1e-9));
        assertThat(engine.flow().promptTokens()).isEqualTo(300);
        assertThat(engine.flow().generationTokens()).isEqualTo(50);
        // of seconds 10 to 1: the fifth of ten is the median
        assertThat(engine.flow().endToEnd()).contains(new FleetView.Latency(50, 100));
        assertThat(engine.flow().timeToFirstToken()).contains(new FleetView.Latency(5, 10));
        assertThat(engine.batchSizeMean()).isEqualTo(8);
        assertThat(engine.busyFraction()).isEqualTo(0.5);
    }

    @Test
    void shouldWeighBatchesByTheirSteps() {
        fleet.add(interval("a", "m", NOW.minusSeconds(2))
                .setSteps(30)
                .setBatchSizeMean(4)
                .build());
        fleet.add(interval("a", "m", NOW.minusSeconds(1))
                .setSteps(10)
                .setBatchSizeMean(8)
                .build());

        assertThat(fleet.view(NOW).engines().getFirst().batchSizeMean()).isEqualTo(5);
    }

    @Test
    void shouldCountWhatIsPendingOncePerInstanceAndNotThatOfASilentOne() {
        fleet.add(interval("a", "m", NOW.minusSeconds(1)).setRequestsPending(7).build());
        fleet.add(interval("a", "n", NOW.minusSeconds(1)).setRequestsPending(7).build());
        fleet.add(interval("b", "m", NOW.minusSeconds(1)).setRequestsPending(5).build());
        fleet.add(interval("dead", "m", NOW.minusSeconds(9))
                .setRequestsPending(1000)
                .build());

        FleetView view = fleet.view(NOW);

        assertThat(view.total().pending()).isEqualTo(12);
        assertThat(view.total().running()).isEqualTo(9);
        assertThat(view.engines()).extracting(FleetView.Engine::instance).containsExactly("a", "a", "b", "dead");
        assertThat(view.engines().get(3).last().orElseThrow().isSilent()).isTrue();
        assertThat(view.engines().get(2).last().orElseThrow().isSilent()).isFalse();
        assertThat(fleet.view(NOW.plusSeconds(53)).engines())
                .extracting(FleetView.Engine::instance)
                .containsExactly("a", "a", "b");
    }

    @Test
    void shouldShowWhyTheGateIsClosed() {
        fleet.add(interval("a", "m", NOW.minusSeconds(2))
                .setGateClosures(List.of("FULL"))
                .build());
        fleet.add(interval("a", "m", NOW.minusSeconds(1))
                .setGateClosures(List.of("ENGINE(m)"))
                .build());

        assertThat(fleet.view(NOW).engines().getFirst().last().orElseThrow().gateClosures())
                .containsExactly("ENGINE(m)");
    }

    @Test
    void shouldCountFailuresByCodeButNotTheirTimes() {
        fleet.add(answered("a", "m", NOW.minusSeconds(1), 3));
        fleet.add(ended("a", NOW.minusSeconds(1))
                .setModel("m")
                .setOutcome("DEADLINE_EXCEEDED")
                .setTimings(new Timings(0.0, 0.0, 0.0, 900.0, 9000.0))
                .build());
        fleet.add(failed(FailureCode.DEADLINE_EXCEEDED, NOW.minusSeconds(1)));
        fleet.add(failed(FailureCode.DEADLINE_EXCEEDED, NOW.minusSeconds(2)));
        fleet.add(failed(FailureCode.INVALID_REQUEST, NOW.minusSeconds(3)));
        fleet.add(failed(FailureCode.INVALID_REQUEST, NOW.minusSeconds(11)));

        FleetView view = fleet.view(NOW);

        assertThat(view.failures()).containsOnlyKeys("DEADLINE_EXCEEDED", "INVALID_REQUEST");
        assertThat(view.failures()).containsEntry("DEADLINE_EXCEEDED", 2).containsEntry("INVALID_REQUEST", 1);
        assertThat(view.total().flow().prompts()).isEqualTo(2);
        assertThat(view.total().flow().endToEnd()).contains(new FleetView.Latency(30, 30));
    }

    @Test
    void shouldCountPromptsThatReachedNoModelInTheTotalOnly() {
        fleet.add(ended("a", NOW.minusSeconds(1)).setOutcome("MODEL_NOT_FOUND").build());

        FleetView view = fleet.view(NOW);

        assertThat(view.engines()).isEmpty();
        assertThat(view.total().flow().prompts()).isEqualTo(1);
        assertThat(view.total().flow().endToEnd()).isEmpty();
    }

    @Test
    void shouldDivideByTheTimeOfWhichItKnowsWhenThatIsShorterThanTheWindow() {
        for (int i = 0; i < 6; i++) {
            fleet.add(answered("a", "m", NOW.minusSeconds(2), 1));
        }
        assertThat(fleet.view(NOW).total().flow().prompts()).isEqualTo(3);
    }

    @Test
    void shouldBeEmptyWithoutRecords() {
        FleetView view = fleet.view(NOW);

        assertThat(view.engines()).isEmpty();
        assertThat(view.failures()).isEmpty();
        assertThat(view.total().flow().prompts()).isZero();
    }

    @Test
    void shouldRefuseAWindowShorterThanAReportsInterval() {
        assertThatThrownBy(() -> new Fleet(Duration.ofMillis(999)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("window=PT0.999S, expected=at least 1 s");
    }

    private static EngineInterval.Builder interval(String instance, String model, Instant start) {
        return EngineInterval.newBuilder()
                .setInstance(instance)
                .setModel(model)
                .setStartedAt(start)
                .setDurationMs(1000)
                .setSteps(10)
                .setPromptTokens(300)
                .setGenerationTokens(50)
                .setBatchSizeMean(8)
                .setBatchTokensMean(40)
                .setBusyFraction(0.5)
                .setRequestsRunning(3)
                .setRequestsWaiting(1)
                .setRequestsPending(4)
                .setKvCacheUsagePerc(0.25)
                .setPreemptions(0);
    }

    /** With times that say which one it is: {@code n} ms to the first token, ten times that in all. */
    private static InferenceMetrics answered(String instance, String model, Instant at, int n) {
        return ended(instance, at)
                .setModel(model)
                .setOutcome("stop")
                .setTimings(new Timings(0.0, 0.0, 0.0, (double) n, 10.0 * n))
                .build();
    }

    private static InferenceMetrics.Builder ended(String instance, Instant at) {
        return InferenceMetrics.newBuilder()
                .setRequestId("r")
                .setInstance(instance)
                .setCompletedAt(at)
                .setSource(new Source("prompts", 0, 1L, at));
    }

    private static InferenceFailure failed(FailureCode code, Instant at) {
        return InferenceFailure.newBuilder()
                .setRequestId("r")
                .setCode(code)
                .setMessage("m")
                .setRetriable(false)
                .setFailedAt(at)
                .setSource(new Source("prompts", 0, 1L, at))
                .build();
    }
}
