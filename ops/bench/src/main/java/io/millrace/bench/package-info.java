/**
 * Throughput and latency harnesses; they print ratios.
 */
@NullMarked
package io.millrace.bench;

import org.jspecify.annotations.NullMarked;
