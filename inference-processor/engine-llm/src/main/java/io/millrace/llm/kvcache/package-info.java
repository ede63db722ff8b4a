/**
 * Paged KV cache bookkeeping: block pool and block tables. Integers only; the backend owns the memory.
 */
@NullMarked
package io.millrace.llm.kvcache;

import org.jspecify.annotations.NullMarked;
