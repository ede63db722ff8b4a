package io.millrace.cli.top;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The fleet at one moment. Rates and latencies are those of the window that ends then.
 *
 * @param window how far back it looks
 * @param instances that have reported in it
 * @param engines by instance, then by model
 * @param total of all engines, and of prompts that reached none
 * @param failures in the window, by code
 */
public record FleetView(
        Instant at, Duration window, int instances, List<Engine> engines, Total total, Map<String, Integer> failures) {

    /**
     * One engine of one instance.
     *
     * @param model its model's name
     * @param flow what went through it
     * @param batchSizeMean sequences of a step, on average
     * @param busyFraction part of the time in which it was in a step, 0 to 1
     * @param last what it reported last; empty where only its prompts' endings are known
     */
    public record Engine(
            String instance,
            String model,
            Flow flow,
            double batchSizeMean,
            double busyFraction,
            Optional<LastReport> last) {}

    /**
     * What went through, for each second.
     *
     * @param prompts that ended, answered or not
     * @param timeToFirstToken of those that were answered, from admission
     * @param endToEnd of those that were answered, from admission to completion
     */
    public record Flow(
            double prompts,
            double promptTokens,
            double generationTokens,
            Optional<Latency> timeToFirstToken,
            Optional<Latency> endToEnd) {}

    /** Milliseconds, each a value that was measured. */
    public record Latency(double p50Ms, double p99Ms) {}

    /**
     * An engine's last report.
     *
     * @param running requests in its batch
     * @param waiting requests in its queue
     * @param pending prompts in the instance's pending stores
     * @param kvCacheUsage 0 to 1
     * @param gateClosures why the instance fetches no prompts; empty where it does
     * @param age how old the report is
     */
    public record LastReport(
            int running, int waiting, int pending, double kvCacheUsage, List<String> gateClosures, Duration age) {

        /** Reports come once a second: so many are missing when something is wrong. */
        private static final Duration SILENT_AFTER = Duration.ofSeconds(5);

        /** Whether it should have reported again by now. */
        public boolean isSilent() {
            return age.compareTo(SILENT_AFTER) > 0;
        }
    }

    /**
     * Of the fleet.
     *
     * @param pending prompts in all pending stores
     */
    public record Total(Flow flow, int running, int waiting, int pending) {}
}
