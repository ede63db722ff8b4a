package io.millrace.streams.metrics;

import java.time.Duration;
import java.util.Arrays;

/** Bounds of histogram buckets: vLLM's, so that dashboards made for it fit. */
final class Buckets {
    static final Duration[] TIME_TO_FIRST_TOKEN = seconds(
            0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0,
            80.0, 160.0, 640.0, 2560.0);
    static final Duration[] INTER_TOKEN = seconds(
            0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0);
    static final Duration[] REQUEST = seconds(
            0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0,
            960.0, 1920.0, 7680.0);
    /** A commit takes milliseconds, and at most the transaction timeout. */
    static final Duration[] COMMIT =
            seconds(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0);

    private Buckets() {}

    private static Duration[] seconds(double... bounds) {
        return Arrays.stream(bounds)
                .mapToObj(bound -> Duration.ofNanos(Math.round(bound * 1e9)))
                .toArray(Duration[]::new);
    }
}
