package io.millrace.llm.backend;

import org.jspecify.annotations.Nullable;

/**
 * {@code y = weight · x + bias}.
 *
 * @param weight {@code [outputs, inputs]}
 * @param bias {@code [1, outputs]}, or null for none
 */
public record Linear(Weight weight, @Nullable Weight bias) {}
