package io.millrace.bench.pipeline;

import io.millrace.schemas.PromptRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A prompt of a run. Greedy and past the end of sequence, so that everyone who answers it generates the same tokens.
 *
 * @param index from 0; also the record's key, which its ending has too
 */
record Prompt(int index, PromptRequest request) {

    private static final String[] WORDS =
            ("the order was late and we need a new one before friday please tell the customer "
                            + "when it will arrive what it costs to return a broken part or how to change an address in our system")
                    .split(" ");

    /** Prompts of so many words that differ from their first word on: nothing of one could be reused for another. */
    static List<Prompt> random(Plan.Burst burst, long seed) {
        var random = new Random(seed);
        List<Prompt> prompts = new ArrayList<>(burst.prompts());
        for (int i = 0; i < burst.prompts(); i++) {
            var text =
                    new StringBuilder("Case ").append(random.nextInt(100_000)).append(':');
            for (int word = 0; word < burst.words(); word++) {
                text.append(' ').append(WORDS[random.nextInt(WORDS.length)]);
            }
            prompts.add(new Prompt(
                    i, request(i, text.toString(), random.nextInt(burst.leastTokens(), burst.mostTokens() + 1))));
        }
        return prompts;
    }

    private static PromptRequest request(int index, String text, int maxTokens) {
        return PromptRequest.newBuilder()
                .setRequestId("bench-" + index)
                .setOperation("generate")
                .setPrompt(text)
                .setMaxTokens(maxTokens)
                .setIgnoreEos(true)
                .setTemperature(0.0)
                .build();
    }

    /** The record's key. */
    byte[] key() {
        return Integer.toString(index).getBytes(StandardCharsets.UTF_8);
    }

    /** Whose key it is. */
    static int indexOf(byte[] key) {
        return Integer.parseInt(new String(key, StandardCharsets.UTF_8));
    }
}
