package io.millrace.llm.tokenizer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Finds the tokens that stand alone in a text. As llama.cpp does, the longest token takes its occurrences first, then the next longest in what
 * is left.
 */
final class SpecialTokenSplitter {

    /** A stretch of text, or, where {@code token} is not empty, the token that stands there. */
    sealed interface Fragment {
        record Text(String text) implements Fragment {}

        record Token(int id) implements Fragment {}
    }

    private final Vocabulary vocabulary;
    private final int[] byLength;
    private final Node root = new Node();

    SpecialTokenSplitter(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
        this.byLength = IntStream.range(0, vocabulary.size())
                .filter(id -> vocabulary.type(id).standsAlone()
                        && !vocabulary.text(id).isEmpty())
                .boxed()
                .sorted(Comparator.comparingInt(id -> -vocabulary.text(id).length()))
                .mapToInt(Integer::intValue)
                .toArray();
        for (int id : byLength) {
            Node node = root;
            for (char c : vocabulary.text(id).toCharArray()) {
                node = node.next.computeIfAbsent(c, any -> new Node());
            }
            node.token = id;
        }
    }

    /** A prefix of special tokens: one pass over a text finds which of them, often thousands, occur at all. */
    private static final class Node {
        private static final int NONE = -1;

        private final Map<Character, Node> next = new HashMap<>();
        private int token = NONE;
    }

    private BitSet occurringIn(String text) {
        BitSet tokens = new BitSet();
        for (int start = 0; start < text.length(); start++) {
            Node node = root.next.get(text.charAt(start));
            for (int at = start + 1; node != null; at++) {
                if (node.token != Node.NONE) {
                    tokens.set(node.token);
                }
                node = at < text.length() ? node.next.get(text.charAt(at)) : null;
            }
        }
        return tokens;
    }

    List<Fragment> split(String text, ParseSpecial parse) {
        List<Fragment> fragments = List.of(new Fragment.Text(text));
        BitSet occurring = occurringIn(text);
        if (occurring.isEmpty()) {
            return fragments;
        }
        for (int id : byLength) {
            boolean parsed = parse == ParseSpecial.PARSE || vocabulary.type(id) == TokenType.USER_DEFINED;
            if (parsed && occurring.get(id)) {
                fragments = splitAt(fragments, id);
            }
        }
        return fragments;
    }

    private List<Fragment> splitAt(List<Fragment> fragments, int id) {
        List<Fragment> result = new ArrayList<>(fragments.size() + 2);
        for (Fragment fragment : fragments) {
            switch (fragment) {
                case Fragment.Token token -> result.add(token);
                case Fragment.Text text -> splitAt(text.text(), id, result);
            }
        }
        return result;
    }

    private void splitAt(String text, int id, List<Fragment> result) {
        String special = vocabulary.text(id);
        int from = 0;
        for (int at = text.indexOf(special); at >= 0; at = text.indexOf(special, from)) {
            if (at > from) {
                result.add(new Fragment.Text(text.substring(from, at)));
            }
            result.add(new Fragment.Token(id));
            from = at + special.length();
        }
        if (from < text.length()) {
            result.add(new Fragment.Text(text.substring(from)));
        }
    }
}
