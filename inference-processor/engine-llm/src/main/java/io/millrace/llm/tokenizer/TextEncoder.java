package io.millrace.llm.tokenizer;

/** Turns text without special tokens into tokens, in one model family's way. */
sealed interface TextEncoder permits BytePairEncoder, SentencePieceEncoder {

    /** Appends the tokens of a well-formed text. */
    void encode(String text, IntArray tokens);

    /** Whether a text gets a space before it, which decoding takes off again. */
    default boolean addsSpacePrefix() {
        return false;
    }

    /** The bytes that a normal token stands for. */
    byte[] decode(String tokenText);
}
