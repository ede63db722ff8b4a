package io.millrace.streams.config;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** Did you mean: the known word that is nearest to an unknown one. */
final class Suggestion {
    private Suggestion() {}

    /** {@code , did you mean 'x'?}, or nothing. */
    static String among(Collection<String> words, String unknown) {
        return nearest(words, unknown)
                .map(word -> ", did you mean '" + word + "'?")
                .orElse("");
    }

    static Optional<String> nearest(Collection<String> words, String unknown) {
        String plain = normalize(unknown);
        String best = "";
        int bestDistance = Math.min(plain.length(), 1 + Math.max(1, plain.length() / 4)); // not every letter another
        for (String word : words) {
            int distance = distance(plain, normalize(word));
            if (distance < bestDistance) {
                bestDistance = distance;
                best = word;
            }
        }
        return best.isEmpty() ? Optional.empty() : Optional.of(best);
    }

    /** maxNumSeqs, max-num-seqs and MAX_NUM_SEQS are one word. */
    private static String normalize(String word) {
        String bounded = word.length() > 100 ? word.substring(0, 100) : word;
        return bounded.replaceAll("[-_]", "").toLowerCase(Locale.ROOT);
    }

    /** Edits of one letter (insert, delete, replace, swap with its neighbour) between two words. */
    private static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replace = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replace, 1 + Math.min(d[i - 1][j], d[i][j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
