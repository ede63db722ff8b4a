/**
 * The engine loop: admit, schedule, launch, collect, complete. Ties requests, tokenizer, scheduler and step runner together.
 */
@NullMarked
package io.millrace.llm.runtime;

import org.jspecify.annotations.NullMarked;
