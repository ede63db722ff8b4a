package io.millrace.llm.tokenizer;

import java.util.Arrays;

/**
 * GPT-2's alphabet: each of the 256 bytes as one printable character, so that byte-level vocabularies can be written as text. Bytes that print
 * are themselves; the others are U+0100 and on, in order.
 */
final class ByteAlphabet {

    private static final char[] CHARS = new char[256];
    private static final int[] BYTES = new int[512];
    private static final int NONE = 256;

    static {
        Arrays.fill(BYTES, NONE);
        char other = 256;
        for (int b = 0; b < 256; b++) {
            boolean prints = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            CHARS[b] = prints ? (char) b : other++;
            BYTES[CHARS[b]] = b;
        }
    }

    private ByteAlphabet() {}

    static char charOf(byte value) {
        return CHARS[value & 0xFF];
    }

    static String encode(byte[] bytes) {
        char[] chars = new char[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            chars[i] = charOf(bytes[i]);
        }
        return new String(chars);
    }

    /** Whether every character of the text is one of the alphabet's. */
    static boolean covers(String text) {
        return text.chars().allMatch(c -> c < BYTES.length && BYTES[c] != NONE);
    }

    /** The bytes that a text of this alphabet stands for. */
    static byte[] decode(String text) {
        byte[] bytes = new byte[text.length()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) BYTES[text.charAt(i)];
        }
        return bytes;
    }
}
