/** Bytes from outside, and from a fuzzer. */
@NullMarked
package io.millrace.fuzz;

import org.jspecify.annotations.NullMarked;
