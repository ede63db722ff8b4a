package io.millrace.llm.tokenizer;

/** Turns text without special tokens into tokens, in one model family's way. */
sealed interface TextEncoder permits BytePairEncoder {

    /** Appends the tokens of a well-formed text. */
    void encode(String text, IntArray tokens);

    /** The bytes that a normal token stands for. */
    byte[] decode(String tokenText);
}
