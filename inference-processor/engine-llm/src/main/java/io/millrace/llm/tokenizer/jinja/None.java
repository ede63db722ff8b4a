package io.millrace.llm.tokenizer.jinja;

/** Python's None. */
enum None {
    NONE
}
