package io.millrace.llm.tokenizer;

import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Byte-level BPE: within each piece of the text, the two neighbours whose merge ranks lowest become one, the leftmost first, until none merge.
 *
 * <p>Symbols are vocabulary ids; a symbol that is no token (a byte without one, or what an odd file merges) has an id behind the vocabulary. In the
 * end such a symbol becomes the tokens of its characters; a character without a token is lost, as it is in llama.cpp and transformers.
 */
final class BytePairEncoder implements TextEncoder {

    private static final int DEAD = -1;
    private static final int END = -1;

    private final Vocabulary vocabulary;
    private final PreTokenizer preTokenizer;
    private final MergeTable merges;
    private final int[] symbolOfByte = new int[256];
    private final Map<String, Integer> otherIds = new HashMap<>();
    private final List<String> others = new ArrayList<>();

    BytePairEncoder(GgufMetadata metadata, Vocabulary vocabulary, PreTokenizer preTokenizer) throws GgufException {
        this.vocabulary = vocabulary;
        this.preTokenizer = preTokenizer;
        List<String> lines = metadata.strings("tokenizer.ggml.merges");
        this.merges = new MergeTable(lines.size());
        for (int b = 0; b < 256; b++) {
            symbolOfByte[b] = symbol(String.valueOf(ByteAlphabet.charOf((byte) b)));
        }
        for (int rank = 0; rank < lines.size(); rank++) {
            addMerge(metadata, lines.get(rank), rank);
        }
    }

    private void addMerge(GgufMetadata metadata, String line, int rank) throws GgufException {
        int space = line.indexOf(' ', 1);
        if (space < 0) {
            String expected = "pairs of symbols with a space between";
            throw metadata.failure("tokenizer.ggml.merges", expected, "'" + line + "' at " + rank);
        }
        String left = line.substring(0, space);
        String right = line.substring(space + 1);
        merges.add(symbol(left), symbol(right), rank, symbol(left + right));
    }

    private int symbol(String text) {
        OptionalInt id = vocabulary.id(text);
        if (id.isPresent()) {
            return id.getAsInt();
        }
        return otherIds.computeIfAbsent(text, other -> {
            others.add(other);
            return vocabulary.size() + others.size() - 1;
        });
    }

    @Override
    public byte[] decode(String tokenText) {
        return ByteAlphabet.covers(tokenText)
                ? ByteAlphabet.decode(tokenText)
                : tokenText.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void encode(String text, IntArray tokens) {
        IntArray ends = preTokenizer.pieceEnds(text);
        Piece piece = new Piece();
        int start = 0;
        for (int i = 0; i < ends.size(); i++) {
            byte[] bytes = text.substring(start, ends.get(i)).getBytes(StandardCharsets.UTF_8);
            start = ends.get(i);
            OptionalInt whole = preTokenizer.merges() == PreTokenizer.WholePieces.ARE_TOKENS
                    ? vocabulary.id(ByteAlphabet.encode(bytes))
                    : OptionalInt.empty();
            if (whole.isPresent()) {
                tokens.add(whole.getAsInt());
            } else {
                piece.merge(bytes);
                piece.emit(tokens);
            }
        }
    }

    /** One piece while it is merged: a linked list of symbols in arrays, and a heap of candidate merges. Reused from piece to piece. */
    private final class Piece {

        private int count;
        private int[] symbols = new int[64];
        private int[] next = new int[64];
        private int[] previous = new int[64];
        private final LongHeap candidates = new LongHeap(); // rank, then position of the left symbol

        void merge(byte[] bytes) {
            load(bytes);
            for (int i = 0; i + 1 < count; i++) {
                addCandidate(i);
            }
            while (!candidates.isEmpty()) {
                long candidate = candidates.removeLeast();
                apply((int) candidate, (int) (candidate >>> 32));
            }
        }

        private void load(byte[] bytes) {
            count = bytes.length;
            if (symbols.length < count) {
                symbols = new int[count];
                next = new int[count];
                previous = new int[count];
            }
            for (int i = 0; i < count; i++) {
                symbols[i] = symbolOfByte[bytes[i] & 0xFF];
                previous[i] = i - 1;
                next[i] = i + 1 < count ? i + 1 : END;
            }
        }

        private void addCandidate(int left) {
            int right = left == END ? END : next[left];
            if (right != END) {
                long merge = merges.find(symbols[left], symbols[right]);
                if (merge != MergeTable.NONE) {
                    candidates.add((long) MergeTable.rank(merge) << 32 | left);
                }
            }
        }

        /** Merges at {@code left}, unless what stood there when the candidate was added has merged otherwise meanwhile. */
        private void apply(int left, int rank) {
            int right = symbols[left] == DEAD ? END : next[left];
            if (right == END) {
                return;
            }
            long merge = merges.find(symbols[left], symbols[right]);
            if (merge == MergeTable.NONE || MergeTable.rank(merge) != rank) {
                return;
            }
            symbols[left] = MergeTable.merged(merge);
            symbols[right] = DEAD;
            next[left] = next[right];
            if (next[right] != END) {
                previous[next[right]] = left;
            }
            addCandidate(previous[left]);
            addCandidate(left);
        }

        void emit(IntArray tokens) {
            for (int i = count == 0 ? END : 0; i != END; i = next[i]) {
                if (symbols[i] < vocabulary.size()) {
                    tokens.add(symbols[i]);
                } else {
                    emitCharacters(others.get(symbols[i] - vocabulary.size()), tokens);
                }
            }
        }

        private void emitCharacters(String text, IntArray tokens) {
            text.codePoints().forEach(c -> vocabulary.id(Character.toString(c)).ifPresent(tokens::add));
        }
    }
}
