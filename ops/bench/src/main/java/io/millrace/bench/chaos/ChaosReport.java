package io.millrace.bench.chaos;

import io.millrace.devstack.oracle.Place;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * What came out.
 *
 * @param happened faults in the order in which they happened
 * @param violations a line for each thing that is wrong; empty if every prompt ended once and as it should
 * @param drain from the last prompt to the last ending
 * @param workersStarted processes
 * @param unaskedExits names of workers that ended by themselves and were started again
 */
public record ChaosReport(
        ChaosPlan plan,
        List<Happened> happened,
        List<Line> lines,
        Totals totals,
        List<String> violations,
        Duration drain,
        int workersStarted,
        List<String> unaskedExits) {

    /**
     * A fault that happened.
     *
     * @param at after the schedule's start
     * @param target what it hit, with partitions
     */
    public record Happened(Duration at, FaultKind kind, String target) {}

    /**
     * A kind of fault.
     *
     * @param recoveries from each fault to the first ending that it held up, ascending; fewer than the count where nothing was held up
     */
    public record Line(FaultKind kind, int count, List<Duration> recoveries) {

        /** The middle one, zero if there is none. */
        public Duration p50() {
            return recoveries.isEmpty() ? Duration.ZERO : recoveries.get((recoveries.size() - 1) / 2);
        }

        /** The longest, zero if there is none. */
        public Duration max() {
            return recoveries.isEmpty() ? Duration.ZERO : recoveries.getLast();
        }
    }

    /**
     * Prompts and tokens.
     *
     * @param failed prompts with a failure record or a dead letter, as they had to be
     * @param answerTokens in the answers
     * @param generatedTokens by all engines, as far as they could be asked before they were killed
     * @param adoptedRuns requests in flight that a new owner in the same process took over
     * @param adoptedTokens that these had generated and did not have to again
     */
    public record Totals(
            int prompts,
            int answered,
            int failed,
            Set<Place> lost,
            Set<Place> doubled,
            Set<Place> wronglyFailed,
            long answerTokens,
            long generatedTokens,
            long adoptedRuns,
            long adoptedTokens) {}

    /** Whether all is as it should be. */
    public boolean isClean() {
        return violations.isEmpty();
    }
}
