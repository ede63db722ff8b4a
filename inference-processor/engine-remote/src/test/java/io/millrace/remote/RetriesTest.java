package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** How often and how soon. */
class RetriesTest {

    private static final long SECOND = 1_000_000_000L;

    @Test
    void shouldDoubleWithEachFailureUpToABoundAndDrawFromTheUpperHalf() {
        BackOff backOff = new BackOff(Duration.ofMillis(100), Duration.ofSeconds(1), new Random(1));
        long[] most = {100, 200, 400, 800, 1000, 1000};
        for (int failures = 1; failures <= most.length; failures++) {
            int now = failures;
            LongStream drawn = LongStream.range(0, 200).map(_ -> backOff.nanos(now) / 1_000_000);
            assertThat(drawn.summaryStatistics()).satisfies(drawnMs -> {
                assertThat(drawnMs.getMin()).isBetween(most[now - 1] / 2, most[now - 1] * 3 / 5);
                assertThat(drawnMs.getMax()).isBetween(most[now - 1] * 4 / 5, most[now - 1]);
            });
        }
        assertThat(backOff.nanos(1_000_000)).isLessThanOrEqualTo(SECOND);
    }

    @Test
    void shouldGrantAReserveThenAPartOfTheRequestsAndOneASecondInAnyCase() {
        RetryBudget budget = new RetryBudget(0.25, 0);
        assertThat(taken(budget, 0, 100)).isEqualTo(10);

        for (int i = 0; i < 40; i++) {
            budget.request();
        }
        assertThat(taken(budget, 0, 100)).as("a fourth of 40 requests").isEqualTo(10);

        assertThat(budget.take(SECOND / 2)).isFalse();
        assertThat(budget.take(SECOND)).isTrue();
        assertThat(taken(budget, 1000 * SECOND, 100))
                .as("no more than the reserve is saved")
                .isEqualTo(10);
    }

    private static int taken(RetryBudget budget, long now, int tries) {
        int taken = 0;
        for (int i = 0; i < tries; i++) {
            taken += budget.take(now) ? 1 : 0;
        }
        return taken;
    }
}
