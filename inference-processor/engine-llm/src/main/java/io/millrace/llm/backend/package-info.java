/**
 * What a step needs of the hardware, and the runner that drives it. Tensors are opaque handles of the backend.
 */
@NullMarked
package io.millrace.llm.backend;

import org.jspecify.annotations.NullMarked;
