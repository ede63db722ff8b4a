package io.millrace.llm.tokenizer.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** Python's string functions, where Java's differ. */
final class PythonText {

    private PythonText() {}

    /** What {@code str.isspace} and {@code \s} mean. */
    static boolean isSpace(int c) {
        return (c >= 9 && c <= 13)
                || (c >= 0x1C && c <= 0x20)
                || c == 0x85
                || Character.getType(c) == Character.SPACE_SEPARATOR
                || c == 0x2028
                || c == 0x2029;
    }

    static String stripLeft(String text, IntPredicate stripped) {
        int start = 0;
        while (start < text.length() && stripped.test(text.codePointAt(start))) {
            start += Character.charCount(text.codePointAt(start));
        }
        return text.substring(start);
    }

    static String stripRight(String text, IntPredicate stripped) {
        int end = text.length();
        while (end > 0 && stripped.test(text.codePointBefore(end))) {
            end -= Character.charCount(text.codePointBefore(end));
        }
        return text.substring(0, end);
    }

    static String strip(String text, IntPredicate stripped) {
        return stripRight(stripLeft(text, stripped), stripped);
    }

    /** {@code str.split()}: at runs of white space, without empty parts; at most {@code max} cuts where that is not negative. */
    static List<Object> splitAtSpace(String text, long max) {
        List<Object> parts = new ArrayList<>();
        String rest = stripLeft(text, PythonText::isSpace);
        while (!rest.isEmpty()) {
            int end = 0;
            while (end < rest.length() && !isSpace(rest.charAt(end))) {
                end++;
            }
            if (parts.size() == max || end == rest.length()) {
                parts.add(stripRight(rest, PythonText::isSpace));
                return parts;
            }
            parts.add(rest.substring(0, end));
            rest = stripLeft(rest.substring(end), PythonText::isSpace);
        }
        return parts;
    }

    /** {@code str.split(separator, max)}; the separator is not empty. */
    static List<Object> split(String text, String separator, long max) {
        List<Object> parts = new ArrayList<>();
        int from = 0;
        int at = text.indexOf(separator);
        while (at >= 0 && parts.size() != max) {
            parts.add(text.substring(from, at));
            from = at + separator.length();
            at = text.indexOf(separator, from);
        }
        parts.add(text.substring(from));
        return parts;
    }

    /** {@code str.rsplit(separator, max)}; the separator is not empty. */
    static List<Object> splitFromRight(String text, String separator, long max) {
        List<Object> parts = new ArrayList<>();
        int end = text.length();
        int at = text.lastIndexOf(separator);
        while (at >= 0 && parts.size() != max) {
            parts.addFirst(text.substring(at + separator.length(), end));
            end = at;
            at = at < separator.length() ? -1 : text.lastIndexOf(separator, at - separator.length());
        }
        parts.addFirst(text.substring(0, end));
        return parts;
    }

    /** {@code str.splitlines()}. */
    static List<Object> splitLines(String text) {
        List<Object> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029) {
                lines.add(text.substring(from, i));
                if (c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
                    i++;
                }
                from = i + 1;
            }
        }
        if (from < text.length()) {
            lines.add(text.substring(from));
        }
        return lines;
    }

    /** {@code str.capitalize}. */
    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.offsetByCodePoints(0, 1);
        return new StringBuilder()
                .appendCodePoint(Character.toTitleCase(text.codePointAt(0)))
                .append(text.substring(first).toLowerCase(Locale.ROOT))
                .toString();
    }

    /** {@code str.title}: a letter after what is no letter is a capital, all others are small. */
    static String title(String text) {
        StringBuilder result = new StringBuilder(text.length());
        boolean inWord = false;
        for (int c : text.codePoints().toArray()) {
            result.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = Character.isLetter(c);
        }
        return result.toString();
    }

    static long length(String text) {
        return text.codePointCount(0, text.length());
    }
}
