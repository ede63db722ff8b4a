package io.millrace.bench.chaos;

import java.time.Duration;

/**
 * What is run.
 *
 * @param time how long prompts come, at least 1 min
 * @param every time between two samples, at least 1 s, so that there are 10 at least
 * @param workers processes, 1 or 2
 * @param rate prompts a second, above 0
 */
public record SoakPlan(Duration time, Duration every, long seed, int workers, double rate, ChaosPlan.Worker worker) {

    private static final int LEAST_SAMPLES = 10;

    public SoakPlan {
        check("minutes", time.toMillis() / 60_000.0, time.compareTo(Duration.ofMinutes(1)) >= 0, "at least 1");
        check(
                "every",
                every,
                every.compareTo(Duration.ofSeconds(1)) >= 0
                        && every.multipliedBy(LEAST_SAMPLES).compareTo(time) <= 0,
                "at least 1 s, and a tenth of the time at most");
        check("workers", workers, workers == 1 || workers == 2, "1 or 2");
        check("rate", rate, rate > 0, "above 0");
    }

    private static void check(String name, Object value, boolean valid, String expected) {
        if (!valid) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=" + expected);
        }
    }
}
