/**
 * Which tokens the next step computes, within the token budget. Integers only: it never sees Kafka, a backend or a tensor.
 */
@NullMarked
package io.millrace.llm.scheduler;

import org.jspecify.annotations.NullMarked;
