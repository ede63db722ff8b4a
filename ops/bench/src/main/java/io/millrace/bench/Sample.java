package io.millrace.bench;

import java.util.Arrays;

/**
 * Measurements of the same thing.
 *
 * @param values at least one, in the order in which they were taken
 */
public record Sample(double... values) {

    public Sample {
        values = values.clone();
        if (values.length == 0) {
            throw new IllegalArgumentException("values=0, expected=at least 1");
        }
    }

    @Override
    public double[] values() {
        return values.clone();
    }

    /** The middle one, or the mean of the two in the middle. */
    public double median() {
        double[] sorted = sorted();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    public double least() {
        return sorted()[0];
    }

    public double most() {
        return sorted()[values.length - 1];
    }

    private double[] sorted() {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted;
    }
}
