/** Rows of the failure matrix, each on a real broker, in real processes where it takes one, and judged by the one oracle. */
@NullMarked
package io.millrace.streams.faults;

import org.jspecify.annotations.NullMarked;
