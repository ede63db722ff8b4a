package io.millrace.bench.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TrendTest {

    private static final int SAMPLES = 360;
    private static final double[] HOURS =
            IntStream.range(0, SAMPLES).mapToDouble(i -> i / 180.0).toArray();

    @Test
    void shouldFindTheSlopeUnderNoiseAndOutliers() {
        Random random = new Random(1);
        Trend trend = trend(i -> 400 + 30 * HOURS[i] + random.nextGaussian() * 5 + (i % 50 == 0 ? 1_000 : 0));

        assertThat(trend.perHour()).isCloseTo(30, within(3.0));
        assertThat(trend.low()).isLessThan(30);
        assertThat(trend.high()).isGreaterThan(30);
        assertThat(trend.isFlat()).isFalse();
    }

    @Test
    void shouldCallNoiseAndSawTeethFlat() {
        Random random = new Random(2);

        assertThat(trend(i -> 400 + random.nextGaussian() * 20).isFlat()).isTrue();
        assertThat(trend(i -> 100 + i % 30 * 3).isFlat()).isTrue();
        assertThat(trend(i -> 7).isFlat()).isTrue();
    }

    @Test
    void shouldSeeASlowLeakUnderSawTeeth() {
        assertThat(trend(i -> 100 + i % 30 * 3 + 40 * HOURS[i]).isFlat()).isFalse();
    }

    @Test
    void shouldThinManySamples() {
        double[] hours = IntStream.range(0, 9_999).mapToDouble(i -> i / 360.0).toArray();

        assertThat(Trend.of(hours, hours).perHour()).isCloseTo(1, within(1e-9));
    }

    @Test
    void shouldRefuseOneSample() {
        assertThatThrownBy(() -> Trend.of(new double[1], new double[1]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("values=1, times=1, expected=at least 2, as many of both");
    }

    @Test
    void shouldWriteARowForEachSampleAndSayWhatGrows() {
        var samples = new Samples();
        for (int i = 0; i < 10; i++) {
            samples.at(i / 100.0);
            samples.put("worker 0", "threads", 20 + i);
            if (i > 0) { // did not answer at first
                samples.put("kafka", "lag", 0);
            }
        }
        var plan = new SoakPlan(
                Duration.ofMinutes(1),
                Duration.ofSeconds(5),
                1,
                1,
                2,
                new ChaosPlan.Worker("Main", List.of(), Path.of("model.gguf")));
        var report = new SoakReport(plan, samples.hours(), samples.series(), samples.settledFrom(), 12, List.of());

        assertThat(report.csv().lines().toList())
                .hasSize(11)
                .startsWith("seconds,worker 0 threads,kafka lag", "0.0,20.000,0.000", "36.0,21.000,0.000");
        assertThat(report.series())
                .extracting(SoakReport.Series::verdict)
                .containsExactly("grows 100 per hour", "flat");
        assertThatThrownBy(() -> new SoakPlan(Duration.ofMinutes(1), Duration.ofSeconds(7), 1, 1, 2, plan.worker()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("every=PT7S, expected=at least 1 s, and a tenth of the time at most");
    }

    private static Trend trend(IntToDoubleFunction value) {
        return Trend.of(HOURS, IntStream.range(0, SAMPLES).mapToDouble(value).toArray());
    }
}
