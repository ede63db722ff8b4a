/**
 * Throughput harnesses: correct first, then timed; they print ratios of one run, interleaved with their reference. They may
 * use the engines.
 */
@NullMarked
package io.millrace.bench;

import org.jspecify.annotations.NullMarked;
