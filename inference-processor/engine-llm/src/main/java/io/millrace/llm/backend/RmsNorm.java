package io.millrace.llm.backend;

/**
 * {@code y = x / sqrt(mean(x²) + epsilon) · weight}.
 *
 * @param weight {@code [1, width]}
 * @param epsilon above 0
 */
public record RmsNorm(Weight weight, float epsilon) {}
