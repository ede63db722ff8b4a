/**
 * How a token is drawn from logits: parameters, Philox draws, filters, log probabilities.
 */
@NullMarked
package io.millrace.llm.sampler;

import org.jspecify.annotations.NullMarked;
