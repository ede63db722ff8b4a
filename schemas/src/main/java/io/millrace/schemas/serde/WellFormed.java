package io.millrace.schemas.serde;

/**
 * Well-formed text. JSON's {@code \\ud800} can spell half a surrogate pair, which no UTF-8 writer takes: such a string would be
 * read, answered, and then fail on its way out.
 */
final class WellFormed {

    private static final char REPLACEMENT = '\ufffd';

    private WellFormed() {}

    /** Whether each surrogate of the text has its other half. */
    static boolean isWellFormed(String text) {
        return loneSurrogate(text, 0) == text.length();
    }

    /** The text with U+FFFD in place of each lone surrogate. */
    static String repaired(String text) {
        int at = loneSurrogate(text, 0);
        if (at == text.length()) {
            return text;
        }
        StringBuilder repaired = new StringBuilder(text);
        for (; at < text.length(); at = loneSurrogate(text, at + 1)) {
            repaired.setCharAt(at, REPLACEMENT);
        }
        return repaired.toString();
    }

    /** Index of the first lone surrogate at or after {@code from}, or the text's length. */
    private static int loneSurrogate(String text, int from) {
        int at = from;
        while (at < text.length()) {
            char c = text.charAt(at);
            boolean isPair = Character.isHighSurrogate(c)
                    && at + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(at + 1));
            if (Character.isSurrogate(c) && !isPair) {
                return at;
            }
            at += isPair ? 2 : 1;
        }
        return text.length();
    }
}
