package io.millrace.llm.tokenizer;

import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * SentencePiece's BPE, as Llama 2 and Gemma have it: spaces are written {@code ▁}, and of all neighbours that together are a token, the pair whose
 * token scores highest becomes one, the leftmost first, until none do. A character that is no token becomes byte tokens.
 */
final class SentencePieceEncoder implements TextEncoder {

    private static final char SPACE = '▁';
    private static final int END = -1;

    private final Vocabulary vocabulary;
    private final float[] scores;
    private final boolean addsSpacePrefix;
    private final OptionalInt[] byteTokens = new OptionalInt[256];

    SentencePieceEncoder(GgufMetadata metadata, Vocabulary vocabulary) throws GgufException {
        this.vocabulary = vocabulary;
        scores = scores(metadata, vocabulary.size());
        addsSpacePrefix = metadata.findBool("tokenizer.ggml.add_space_prefix").orElse(true);
        OptionalInt unknown = vocabulary.idAt(metadata, "tokenizer.ggml.unknown_token_id");
        for (int b = 0; b < byteTokens.length; b++) {
            OptionalInt token = vocabulary.id(String.format("<0x%02X>", b));
            byteTokens[b] = token.isPresent() ? token : unknown;
        }
    }

    private static float[] scores(GgufMetadata metadata, int count) throws GgufException {
        String key = "tokenizer.ggml.scores";
        Optional<float[]> scores = metadata.findFloats(key);
        if (scores.isPresent() && scores.get().length < count) {
            throw metadata.failure(key, "a score for each of " + count + " tokens", "" + scores.get().length);
        }
        return scores.orElseGet(() -> new float[count]);
    }

    @Override
    public boolean addsSpacePrefix() {
        return addsSpacePrefix;
    }

    @Override
    public byte[] decode(String tokenText) {
        return tokenText.replace(SPACE, ' ').getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void encode(String text, IntArray tokens) {
        Symbols symbols = new Symbols((addsSpacePrefix ? " " + text : text).replace(' ', SPACE));
        symbols.merge();
        symbols.emit(tokens);
    }

    /** A text's characters, a linked list in arrays, while they merge. */
    private final class Symbols {

        private final String text;
        private final int[] starts; // of the symbol's text
        private final int[] ends; // of the symbol's text; its start where the symbol has gone into another
        private final int[] next;
        private final int[] previous;
        private final LongHeap candidates = new LongHeap(); // score, highest least; then the left symbol

        Symbols(String text) {
            this.text = text;
            int count = text.codePointCount(0, text.length());
            starts = new int[count];
            ends = new int[count];
            next = new int[count];
            previous = new int[count];
            int at = 0;
            for (int i = 0; i < count; i++) {
                starts[i] = at;
                at += Character.charCount(text.codePointAt(at));
                ends[i] = at;
                previous[i] = i - 1;
                next[i] = i + 1 < count ? i + 1 : END;
            }
        }

        void merge() {
            for (int i = 0; i + 1 < starts.length; i++) {
                addCandidate(i);
            }
            while (!candidates.isEmpty()) {
                long candidate = candidates.removeLeast();
                apply((int) candidate, (int) (candidate >> 32));
            }
        }

        private void addCandidate(int left) {
            OptionalInt token = left == END ? OptionalInt.empty() : joined(left);
            if (token.isPresent()) {
                candidates.add((long) rank(token.getAsInt()) << 32 | left);
            }
        }

        /** The token that this symbol and the next one make. */
        private OptionalInt joined(int left) {
            int right = next[left];
            return right == END ? OptionalInt.empty() : vocabulary.id(text.substring(starts[left], ends[right]));
        }

        /** Merges at {@code left}, unless what stood there when the candidate was added has merged otherwise meanwhile. */
        private void apply(int left, int rank) {
            boolean gone = ends[left] == starts[left];
            OptionalInt token = gone ? OptionalInt.empty() : joined(left);
            if (token.isEmpty() || rank(token.getAsInt()) != rank) {
                return;
            }
            int right = next[left];
            ends[left] = ends[right];
            ends[right] = starts[right];
            next[left] = next[right];
            if (next[right] != END) {
                previous[next[right]] = left;
            }
            addCandidate(previous[left]);
            addCandidate(left);
        }

        void emit(IntArray tokens) {
            for (int i = starts.length == 0 ? END : 0; i != END; i = next[i]) {
                String symbol = text.substring(starts[i], ends[i]);
                OptionalInt token = vocabulary.id(symbol);
                if (token.isPresent()) {
                    tokens.add(token.getAsInt());
                } else {
                    emitBytes(symbol, tokens);
                }
            }
        }

        private void emitBytes(String symbol, IntArray tokens) {
            for (byte b : symbol.getBytes(StandardCharsets.UTF_8)) {
                byteTokens[b & 0xFF].ifPresent(tokens::add);
            }
        }
    }

    /** An int that orders tokens by falling score. */
    private int rank(int token) {
        int bits = Float.floatToIntBits(scores[token] + 0f); // which makes -0 0
        int rising = bits >= 0 ? bits : Integer.MIN_VALUE - bits;
        return ~rising;
    }
}
