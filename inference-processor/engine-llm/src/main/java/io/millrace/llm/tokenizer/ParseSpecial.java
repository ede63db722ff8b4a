package io.millrace.llm.tokenizer;

/** What becomes of special tokens' text, such as {@code <|im_end|>}, in a text to encode. */
public enum ParseSpecial {
    /** It becomes the special token. For text that a chat template made. */
    PARSE,
    /** It is text like any other. For what users wrote. */
    AS_TEXT
}
