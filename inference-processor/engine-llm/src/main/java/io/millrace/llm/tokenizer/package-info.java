/**
 * Text to token ids and back, and chat templates, from GGUF metadata.
 */
@NullMarked
package io.millrace.llm.tokenizer;

import org.jspecify.annotations.NullMarked;
