package io.millrace.llm.runtime;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What the fake device draws for one prompt with infinite resources, computed without engine, scheduler or cache. */
final class Oracle {

    private Oracle() {}

    /** The first tokens of an answer that nothing ends. */
    static List<Integer> answer(int[] prompt, long seed, int count) {
        return answer(prompt, seed, count, 0, false);
    }

    /** An answer of at most {@code count} tokens, the one that ends it included. */
    static List<Integer> answer(int[] prompt, long seed, int count, int minTokens, boolean ends) {
        List<Integer> answer = new ArrayList<>();
        int[] tokens = prompt;
        while (answer.size() < count) {
            int token = FakeRunner.draw(tokens, seed, answer.size() >= minTokens);
            answer.add(token);
            if (ends && token == FakeCodec.END) {
                break;
            }
            tokens = Arrays.copyOf(tokens, tokens.length + 1);
            tokens[tokens.length - 1] = token;
        }
        return answer;
    }

    static String text(List<Integer> tokens) {
        StringBuilder text = new StringBuilder();
        for (int token : tokens) {
            text.append(token == FakeCodec.END ? "" : FakeCodec.letter(token));
        }
        return text.toString();
    }
}
