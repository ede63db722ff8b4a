/**
 * Hyperparameters, weights and one forward pass, on a backend's operations. It never sees a sequence.
 */
@NullMarked
package io.millrace.llm.model;

import org.jspecify.annotations.NullMarked;
