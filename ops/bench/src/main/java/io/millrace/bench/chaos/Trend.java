package io.millrace.bench.chaos;

import java.util.Arrays;

/**
 * Whether a series grows: Theil and Sen's slope, the median of the slopes between all pairs of samples, which neither outliers nor a
 * collector's saw teeth move much, with Kendall's 95% interval about it.
 *
 * @param perHour the slope
 * @param low lower end of the interval, per hour
 * @param high upper end
 * @param typical the median sample
 * @param hours from the first sample to the last
 */
public record Trend(double perHour, double low, double high, double typical, double hours) {

    private static final double Z_95 = 1.96;

    /** More samples than this are thinned: their pairs are as many as the square. */
    private static final int MOST_SAMPLES = 1_000;

    /** What changes by less than this part of itself over the whole run is called flat. */
    private static final double LEAST_CHANGE = 0.02;

    /**
     * The trend of some samples.
     *
     * @param hours when each was taken, ascending
     * @param values as many, at least 2
     */
    public static Trend of(double[] hours, double[] values) {
        if (hours.length != values.length || values.length < 2) {
            throw new IllegalArgumentException(
                    "values=" + values.length + ", times=" + hours.length + ", expected=at least 2, as many of both");
        }
        int step = Math.ceilDiv(values.length, MOST_SAMPLES);
        int n = Math.ceilDiv(values.length, step);
        double[] slopes = new double[n * (n - 1) / 2];
        int count = 0;
        for (int i = 0; i < n; i++) {
            for (int j = i + 1; j < n; j++) {
                slopes[count++] = (values[j * step] - values[i * step]) / (hours[j * step] - hours[i * step]);
            }
        }
        Arrays.sort(slopes);
        double deviation = Z_95 * Math.sqrt(n * (n - 1.0) * (2.0 * n + 5) / 18);
        return new Trend(
                median(slopes),
                slopes[(int) Math.clamp(Math.floor((count - deviation) / 2), 0, count - 1.0)],
                slopes[(int) Math.clamp(Math.ceil((count + deviation) / 2), 0, count - 1.0)],
                median(Arrays.stream(values).sorted().toArray()),
                hours[hours.length - 1] - hours[0]);
    }

    /** Whether no slope but zero is certain, or the change over the whole run is below 2%. */
    public boolean isFlat() {
        return (low <= 0 && high >= 0) || Math.abs(perHour * hours) < LEAST_CHANGE * Math.abs(typical);
    }

    private static double median(double[] sorted) {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
