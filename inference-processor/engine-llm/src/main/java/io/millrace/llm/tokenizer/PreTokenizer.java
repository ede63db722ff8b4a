package io.millrace.llm.tokenizer;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a text into the pieces within which byte-level BPE merges.
 *
 * @param patterns applied one after the other to every piece so far: matches become pieces, and so does what lies between them
 * @param merges whether merges apply to a piece that is itself a token
 * @param addsBos whether prompts start with BOS where the metadata does not say
 */
record PreTokenizer(List<Pattern> patterns, WholePieces merges, boolean addsBos) {

    /** What becomes of a piece that is itself a token. */
    enum WholePieces {
        /** It is that token. */
        ARE_TOKENS,
        /** It is merged like any other, which may give other tokens. */
        ARE_MERGED
    }

    /** The ends of all pieces, in order; each starts where the one before it ends, the first at 0. */
    IntArray pieceEnds(String text) {
        IntArray ends = new IntArray();
        ends.add(text.length());
        for (Pattern pattern : patterns) {
            ends = cut(text, ends, pattern.matcher(text));
        }
        return ends;
    }

    private static IntArray cut(String text, IntArray pieceEnds, Matcher matcher) {
        IntArray ends = new IntArray();
        int start = 0;
        for (int i = 0; i < pieceEnds.size() && start < text.length(); i++) {
            int end = pieceEnds.get(i);
            matcher.region(start, end);
            while (matcher.find()) {
                if (matcher.start() > start) {
                    ends.add(matcher.start());
                }
                start = matcher.end();
                ends.add(start);
            }
            if (start < end) {
                ends.add(end);
                start = end;
            }
        }
        return ends;
    }
}
