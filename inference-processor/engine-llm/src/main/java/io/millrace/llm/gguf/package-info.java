/**
 * GGUF files by memory map: metadata, tensors, quantized block layouts.
 */
@NullMarked
package io.millrace.llm.gguf;

import org.jspecify.annotations.NullMarked;
