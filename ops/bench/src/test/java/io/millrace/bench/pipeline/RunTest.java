package io.millrace.bench.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RunTest {

    @Test
    void shouldTakeTheNearestRankAsPercentile() {
        double[] unsorted = {40, 10, 30, 20};

        assertThat(Run.percentile(unsorted, 50)).isEqualTo(20);
        assertThat(Run.percentile(unsorted, 99)).isEqualTo(40);
        assertThat(Run.percentile(unsorted, 0)).isEqualTo(10);
    }

    @Test
    void shouldTellWhatAPromptTookOutsideTheEngine() {
        var run = new Run(
                2,
                new double[] {10, 30},
                List.of(new Endings.Answer("a", 4), new Endings.Answer("b", 25)),
                new Meter.Use(64, 2, 1, 0, 0, 0, 0));

        assertThat(run.outsideEngineMs()).containsExactly(6, 5);
        assertThat(run.tokensPerSecond()).isEqualTo(32);
    }
}
