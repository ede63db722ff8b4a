package io.millrace.llm.tokenizer.jinja;

/** A function, macro or bound method. */
interface Callable {

    Object call(Arguments arguments);
}
