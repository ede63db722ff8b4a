/**
 * The part of Jinja that chat templates use, with the semantics of Python's jinja2 as transformers sets it up: sandboxed, immutable,
 * {@code trim_blocks} and {@code lstrip_blocks} on. What it does not have is refused when a template is parsed.
 */
@NullMarked
package io.millrace.llm.tokenizer.jinja;

import org.jspecify.annotations.NullMarked;
