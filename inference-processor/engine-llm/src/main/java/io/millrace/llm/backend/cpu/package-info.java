/** The Vector API backend: repacked weights, tile kernels, a fixed pool of threads. Bitwise the same for any batch and any number of threads. */
@NullMarked
package io.millrace.llm.backend.cpu;

import org.jspecify.annotations.NullMarked;
