package io.millrace.llm.runtime;

/** Masks of tokens that may be drawn: bit i of word i / 64 is token id i. */
final class TokenMasks {

    private TokenMasks() {}

    /** All tokens but those that end an answer, {@code [ceil(vocab / 64)]}. */
    static long[] withoutEnd(PromptCodec codec) {
        int vocab = codec.vocabSize();
        long[] mask = new long[Math.ceilDiv(vocab, Long.SIZE)];
        for (int id = 0; id < vocab; id++) {
            if (!codec.endsAnswer(id)) {
                mask[id / Long.SIZE] |= 1L << (id % Long.SIZE);
            }
        }
        return mask;
    }
}
