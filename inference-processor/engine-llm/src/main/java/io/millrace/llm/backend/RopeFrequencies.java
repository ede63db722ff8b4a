package io.millrace.llm.backend;

/**
 * Rotary position embedding: at position p, pair i is rotated by {@code p · perPosition[i]} radians. Pair i is the values 2i and 2i + 1 of a
 * head: GGUF's {@code llama} converter permutes the weights so.
 *
 * @param perPosition radians per position, {@code [ropeDim / 2]}
 */
public record RopeFrequencies(double[] perPosition) {}
