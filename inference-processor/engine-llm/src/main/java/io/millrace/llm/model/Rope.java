package io.millrace.llm.model;

import io.millrace.llm.backend.RopeFrequencies;

/**
 * Rotary position embedding of a model.
 *
 * @param dimensions leading values of a head that are rotated, even
 * @param base pair i turns by {@code base^(-2i / dimensions)} radians per position
 * @param positionScale what positions are multiplied with: 1, or 1 / factor under linear scaling
 */
public record Rope(int dimensions, double base, double positionScale) {

    /**
     * Radians per position of each pair.
     *
     * @param divisors {@code rope_freqs.weight}, {@code [dimensions / 2]}: each frequency is divided by its own (Llama 3.1's scaling)
     */
    RopeFrequencies frequencies(float[] divisors) {
        double[] perPosition = new double[dimensions / 2];
        for (int i = 0; i < perPosition.length; i++) {
            perPosition[i] = positionScale * Math.pow(base, -2.0 * i / dimensions) / divisors[i];
        }
        return new RopeFrequencies(perPosition);
    }
}
