package io.millrace.llm.tokenizer.jinja;

/** A place in a template's source; both count from 1. */
record Position(int line, int column) {}
