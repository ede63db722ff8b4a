package io.millrace.bench.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ScheduleTest {

    private static final double NANOS_PER_SECOND = 1e9;

    @Test
    void shouldSendAllOfABurstAtTheStart() {
        assertThat(Schedule.burst(3).atNanos()).containsExactly(0, 0, 0);
    }

    @Test
    void shouldSpreadArrivalsAtTheirRateAsChanceDoes() {
        int count = 20_000;
        long[] at = Schedule.poisson(count, 50, 7).atNanos();

        assertThat(at).isSorted();
        assertThat(count / (at[count - 1] / NANOS_PER_SECOND)).isCloseTo(50, within(2.0));
        // gaps of an exponential distribution: 1/e of them are longer than the mean
        long longer = java.util.stream.IntStream.range(1, count)
                .filter(i -> at[i] - at[i - 1] > NANOS_PER_SECOND / 50)
                .count();
        assertThat((double) longer / count).isCloseTo(1 / Math.E, within(0.02));
    }

    @Test
    void shouldSayTheSameForTheSameSeedOnly() {
        assertThat(Schedule.poisson(5, 1, 7).atNanos())
                .isEqualTo(Schedule.poisson(5, 1, 7).atNanos())
                .isNotEqualTo(Schedule.poisson(5, 1, 8).atNanos());
    }
}
