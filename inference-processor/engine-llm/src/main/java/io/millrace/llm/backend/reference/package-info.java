/** The scalar backend: each operation as its formula reads, tested by hand-computed values. */
@NullMarked
package io.millrace.llm.backend.reference;

import org.jspecify.annotations.NullMarked;
