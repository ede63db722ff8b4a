package io.millrace.schemas.serde;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds the name that was probably meant. */
final class DidYouMean {

    /** Names longer than this are no slip of the finger; comparing them costs the product of the lengths. */
    private static final int MAX_CHARS = 64;

    private DidYouMean() {}

    /** The known name nearest to {@code name}, if at most a third of its characters (at least one) differ. */
    static Optional<String> suggest(String name, Collection<String> known) {
        if (name.length() > MAX_CHARS) {
            return Optional.empty();
        }
        int most = Math.max(1, name.length() / 3);
        return known.stream()
                .filter(candidate -> edits(name, candidate) <= most)
                .min(Comparator.comparingInt(candidate -> edits(name, candidate)));
    }

    /** Insertions, deletions, replacements and swaps of neighbours that turn {@code from} into {@code to}. */
    private static int edits(String from, String to) {
        int[][] edits = new int[from.length() + 1][to.length() + 1]; // [chars of from, chars of to]
        for (int i = 0; i <= from.length(); i++) {
            for (int j = 0; j <= to.length(); j++) {
                edits[i][j] = i == 0 || j == 0 ? i + j : step(edits, from, to, i, j);
            }
        }
        return edits[from.length()][to.length()];
    }

    private static int step(int[][] edits, String from, String to, int i, int j) {
        int replaced = edits[i - 1][j - 1] + (sameLetter(from.charAt(i - 1), to.charAt(j - 1)) ? 0 : 1);
        int best = Math.min(replaced, Math.min(edits[i - 1][j], edits[i][j - 1]) + 1);
        boolean swapped = i > 1
                && j > 1
                && sameLetter(from.charAt(i - 1), to.charAt(j - 2))
                && sameLetter(from.charAt(i - 2), to.charAt(j - 1));
        return swapped ? Math.min(best, edits[i - 2][j - 2] + 1) : best;
    }

    /** Case does not count, so that maxTokens finds max_tokens. */
    private static boolean sameLetter(char a, char b) {
        return Character.toLowerCase(a) == Character.toLowerCase(b);
    }
}
