package io.millrace.bench.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What came out.
 *
 * @param hours when each sample was taken, from the first one on
 * @param settledFrom index of the first sample that trends are taken from: before it programs warm up
 * @param violations of exactly once; empty if there are none
 */
public record SoakReport(
        SoakPlan plan, double[] hours, List<Series> series, int settledFrom, int prompts, List<String> violations) {

    /**
     * One quantity over time.
     *
     * @param subject the worker, or what else it is about
     * @param name with its unit
     * @param values one for each sample
     */
    public record Series(String subject, String name, double[] values, Trend trend) {

        /** {@code flat} or how much it grows or shrinks in an hour. */
        public String verdict() {
            if (trend.isFlat()) {
                return "flat";
            }
            String direction = trend.perHour() > 0 ? "grows" : "shrinks";
            return String.format(Locale.ROOT, "%s %.3g per hour", direction, Math.abs(trend.perHour()));
        }
    }

    /** All samples as CSV with a header line. */
    public String csv() {
        StringBuilder csv = new StringBuilder("seconds");
        series.forEach(
                each -> csv.append(',').append(each.subject()).append(' ').append(each.name()));
        csv.append('\n');
        for (int i = 0; i < hours.length; i++) {
            List<String> row = new ArrayList<>(List.of(String.format(Locale.ROOT, "%.1f", hours[i] * 3600)));
            for (Series each : series) {
                row.add(String.format(Locale.ROOT, "%.3f", each.values()[i]));
            }
            csv.append(String.join(",", row)).append('\n');
        }
        return csv.toString();
    }
}
