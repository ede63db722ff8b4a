package io.millrace.llm.tokenizer.jinja;

import io.millrace.llm.tokenizer.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Cuts a source into tokens and settles white space: after a block or comment one newline goes, before one the indentation goes, and {@code -}
 * takes all white space on its side.
 */
final class Lexer {

    private static final List<String> OPERATORS = List.of(
            "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
            "=", ".", ":", "|", ",", ";");

    private final String source;
    private final int[] lineStarts;
    private final List<Token> tokens = new ArrayList<>();
    private int at;

    private Lexer(String source) {
        this.source = source;
        this.lineStarts = IntStream.concat(
                        IntStream.of(0), IntStream.range(1, source.length()).filter(i -> source.charAt(i - 1) == '\n'))
                .toArray();
    }

    static List<Token> tokens(String source) {
        String normalized = source.replace("\r\n", "\n").replace('\r', '\n');
        if (normalized.endsWith("\n")) {
            normalized = normalized.substring(0, normalized.length() - 1);
        }
        Lexer lexer = new Lexer(normalized);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        while (at < source.length()) {
            int tag = nextTag();
            if (tag < 0) {
                add(Kind.TEXT, source.substring(at), at);
                at = source.length();
            } else {
                text(tag);
                tag(tag);
            }
        }
        add(Kind.END, "", source.length());
    }

    /** Where the next tag opens, or -1. */
    private int nextTag() {
        for (int open = source.indexOf('{', at); open >= 0; open = source.indexOf('{', open + 1)) {
            char next = open + 1 < source.length() ? source.charAt(open + 1) : 0;
            if (next == '{' || next == '%' || next == '#') {
                return open;
            }
        }
        return -1;
    }

    /** The text up to a tag, without what the tag takes of it. */
    private void text(int tag) {
        String text = source.substring(at, tag);
        char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : 0;
        if (sign == '-') {
            text = PythonText.stripRight(text, PythonText::isSpace);
        } else if (sign != '+' && source.charAt(tag + 1) != '{') {
            int lineStart = text.lastIndexOf('\n') + 1;
            boolean startsLine = lineStart > 0 || at == 0 || source.charAt(at - 1) == '\n';
            if (startsLine && text.substring(lineStart).codePoints().allMatch(PythonText::isSpace)) {
                text = text.substring(0, lineStart);
            }
        }
        if (!text.isEmpty()) {
            add(Kind.TEXT, text, at);
        }
    }

    private void tag(int tag) {
        char kind = source.charAt(tag + 1);
        at = tag + 2;
        if (at < source.length() && (source.charAt(at) == '-' || (source.charAt(at) == '+' && kind != '{'))) {
            at++;
        }
        switch (kind) {
            case '#' -> comment(tag);
            case '{' -> inside(Kind.VARIABLE_BEGIN, Kind.VARIABLE_END, "}}", tag);
            default -> {
                if (!raw(tag)) {
                    inside(Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}", tag);
                }
            }
        }
    }

    private void comment(int tag) {
        int end = source.indexOf("#}", at);
        if (end < 0) {
            throw error(tag, "a comment that does not end");
        }
        closeTag(end, 2);
    }

    /** Takes a raw block, whose content is text whatever it looks like. */
    private boolean raw(int tag) {
        int name = skipSpace(at);
        if (!source.startsWith("raw", name)) {
            return false;
        }
        int close = skipSpace(name + 3);
        boolean strips = source.startsWith("-%}", close);
        if (!strips && !source.startsWith("%}", close)) {
            return false;
        }
        int start = strips ? skipSpace(close + 3) : close + 2;
        for (int open = source.indexOf("{%", start); open >= 0; open = source.indexOf("{%", open + 2)) {
            char sign = open + 2 < source.length() ? source.charAt(open + 2) : 0;
            int end = skipSpace(sign == '-' || sign == '+' ? open + 3 : open + 2);
            int endClose = source.startsWith("endraw", end) ? skipSpace(end + 6) : -1;
            if (endClose >= 0 && closes(endClose, "%}")) {
                at = start;
                text(open);
                closeTag(source.charAt(endClose) == '%' ? endClose : endClose + 1, 2);
                return true;
            }
        }
        throw error(tag, "a raw block that does not end");
    }

    /** Whether a tag closes here, with its sign. */
    private boolean closes(int index, String end) {
        boolean signed = index < source.length()
                && (source.charAt(index) == '-' || (source.charAt(index) == '+' && end.charAt(0) != '}'));
        return source.startsWith(end, signed ? index + 1 : index);
    }

    /** Moves behind a tag's end at {@code index} and what the tag takes of the white space there. */
    private void closeTag(int index, int length) {
        at = index + length;
        char sign = source.charAt(index - 1);
        boolean variable = source.charAt(index) == '}';
        if (sign == '-') {
            at = skipSpace(at);
        } else if (sign != '+' && !variable && source.startsWith("\n", at)) {
            at++;
        }
    }

    private void inside(Kind begin, Kind endKind, String end, int tag) {
        add(begin, source.substring(tag, tag + 2), tag);
        Deque<Character> open = new ArrayDeque<>();
        while (true) {
            at = skipSpace(at);
            if (at >= source.length()) {
                throw error(tag, "a tag that does not end with '" + end + "'");
            }
            if (open.isEmpty() && closes(at, end)) {
                add(endKind, end, at);
                closeTag(source.startsWith(end, at) ? at : at + 1, end.length());
                return;
            }
            expressionToken(open);
        }
    }

    private void expressionToken(Deque<Character> open) {
        char c = source.charAt(at);
        if (c == '"' || c == '\'') {
            string(c);
        } else if (c >= '0' && c <= '9') {
            number();
        } else if (Character.isUnicodeIdentifierStart(source.codePointAt(at)) || c == '_') {
            int start = at;
            while (at < source.length() && Character.isUnicodeIdentifierPart(source.codePointAt(at))) {
                at += Character.charCount(source.codePointAt(at));
            }
            add(Kind.NAME, source.substring(start, at), start);
        } else {
            operator(open);
        }
    }

    private void operator(Deque<Character> open) {
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, at)) {
                balance(operator.charAt(0), open);
                add(Kind.OPERATOR, operator, at);
                at += operator.length();
                return;
            }
        }
        throw error(at, "unexpected character '" + Character.toString(source.codePointAt(at)) + "'");
    }

    private void balance(char c, Deque<Character> open) {
        switch (c) {
            case '(' -> open.push(')');
            case '[' -> open.push(']');
            case '{' -> open.push('}');
            case ')', ']', '}' -> {
                if (open.isEmpty() || open.pop() != c) {
                    throw error(at, "unexpected '" + c + "'");
                }
            }
            default -> {}
        }
    }

    private void number() {
        int start = at;
        digits();
        if (!tokens.isEmpty() && tokens.getLast().is(Kind.OPERATOR, ".")) { // an index behind a dot, as in a.0.1
            add(Kind.INTEGER, source.substring(start, at), start);
            return;
        }
        boolean real = false;
        if (at + 1 < source.length() && source.charAt(at) == '.' && Character.isDigit(source.charAt(at + 1))) {
            real = true;
            at++;
            digits();
        }
        if (at < source.length() && (source.charAt(at) == 'e' || source.charAt(at) == 'E')) {
            int sign = at + 1 < source.length() && "+-".indexOf(source.charAt(at + 1)) >= 0 ? 1 : 0;
            if (at + 1 + sign < source.length() && Character.isDigit(source.charAt(at + 1 + sign))) {
                real = true;
                at += 1 + sign;
                digits();
            }
        }
        add(real ? Kind.FLOAT : Kind.INTEGER, source.substring(start, at).replace("_", ""), start);
    }

    private void digits() {
        while (at < source.length()
                && ((source.charAt(at) >= '0' && source.charAt(at) <= '9') || source.charAt(at) == '_')) {
            at++;
        }
    }

    private void string(char quote) {
        int start = at++;
        StringBuilder text = new StringBuilder();
        while (at < source.length() && source.charAt(at) != quote) {
            char c = source.charAt(at++);
            if (c == '\\' && at < source.length()) {
                escape(text);
            } else {
                text.append(c);
            }
        }
        if (at >= source.length()) {
            throw error(start, "a string that does not end");
        }
        at++;
        add(Kind.STRING, text.toString(), start);
    }

    /** Python's escapes; an unknown one stays as it is. */
    private void escape(StringBuilder text) {
        char c = source.charAt(at++);
        switch (c) {
            case '\n' -> {}
            case '\\', '\'', '"' -> text.append(c);
            case 'n' -> text.append('\n');
            case 't' -> text.append('\t');
            case 'r' -> text.append('\r');
            case 'b' -> text.append('\b');
            case 'f' -> text.append('\f');
            case 'a' -> text.append('\u0007');
            case 'v' -> text.append('\u000b');
            case 'x' -> codePoint(text, 2);
            case 'u' -> codePoint(text, 4);
            case 'U' -> codePoint(text, 8);
            case '0', '1', '2', '3', '4', '5', '6', '7' -> octal(text);
            case 'N' -> throw error(at - 2, "a character by name, \\N{…}, is not supported");
            default -> text.append('\\').append(c);
        }
    }

    private void codePoint(StringBuilder text, int digits) {
        int end = Math.min(source.length(), at + digits);
        String hex = source.substring(at, end);
        if (hex.length() < digits || !hex.chars().allMatch(c -> Character.digit(c, 16) >= 0)) {
            throw error(at - 2, "an escape of " + digits + " hexadecimal digits, found '" + hex + "'");
        }
        long value = Long.parseLong(hex, 16);
        if (value > Character.MAX_CODE_POINT) {
            throw error(at - 2, "no such character: " + hex);
        }
        text.appendCodePoint((int) value);
        at = end;
    }

    private void octal(StringBuilder text) {
        int value = 0;
        at--;
        for (int i = 0; i < 3 && at < source.length() && "01234567".indexOf(source.charAt(at)) >= 0; i++) {
            value = value * 8 + (source.charAt(at++) - '0');
        }
        text.append((char) value);
    }

    private int skipSpace(int index) {
        int end = index;
        while (end < source.length() && PythonText.isSpace(source.charAt(end))) {
            end++;
        }
        return end;
    }

    private Position position(int index) {
        int found = Arrays.binarySearch(lineStarts, index);
        int line = found >= 0 ? found : -found - 2;
        return new Position(line + 1, index - lineStarts[line] + 1);
    }

    private void add(Kind kind, String text, int index) {
        tokens.add(new Token(kind, text, position(index)));
    }

    private TemplateException error(int index, String message) {
        return TemplateException.at(position(index), message);
    }
}
