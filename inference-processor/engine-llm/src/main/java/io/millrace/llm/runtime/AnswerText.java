package io.millrace.llm.runtime;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The text of one answer, grown token by token. A character split over tokens appears when its last byte does; bytes that
 * are no UTF-8 become U+FFFD.
 */
final class AnswerText {

    /** Longest unfinished UTF-8 sequence, bytes. */
    private static final int MAX_PENDING_BYTES = 3;

    private final List<String> stop;
    private final int longestStop;
    private final StringBuilder text = new StringBuilder();
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private byte[] pending = new byte[0]; // at most MAX_PENDING_BYTES

    /** An empty answer that {@code stop} strings may end. */
    AnswerText(List<String> stop) {
        this.stop = stop;
        longestStop = stop.stream().mapToInt(String::length).max().orElse(0);
    }

    /** Adds a token's bytes. */
    void append(byte[] bytes) {
        decode(bytes, false);
    }

    /**
     * Adds a token's bytes and looks for a stop string that they complete. It, and what follows it, is cut off; of several
     * the one that begins first counts.
     *
     * @return whether there is one
     */
    boolean appendUntilStop(byte[] bytes) {
        int searchFrom = Math.max(0, text.length() - longestStop + 1);
        append(bytes);
        int cut = text.length();
        boolean found = false;
        for (String string : stop) {
            int at = text.indexOf(string, searchFrom);
            if (at >= 0 && (!found || at < cut)) {
                cut = at;
                found = true;
            }
        }
        if (found) {
            text.setLength(cut);
            pending = new byte[0];
        }
        return found;
    }

    /** No token follows: an unfinished character becomes U+FFFD. */
    void end() {
        decode(new byte[0], true);
    }

    /** The text so far. */
    String text() {
        return text.toString();
    }

    private void decode(byte[] bytes, boolean last) {
        ByteBuffer in = ByteBuffer.allocate(pending.length + bytes.length);
        in.put(pending).put(bytes).flip();
        CharBuffer out = CharBuffer.allocate(in.remaining() + 1); // one char a byte at most, and one for a cut-off end
        decoder.reset();
        decoder.decode(in, out, last);
        if (last) {
            decoder.flush(out);
        }
        text.append(out.flip());
        pending = new byte[in.remaining()];
        in.get(pending);
        assert pending.length <= MAX_PENDING_BYTES : pending.length;
    }
}
