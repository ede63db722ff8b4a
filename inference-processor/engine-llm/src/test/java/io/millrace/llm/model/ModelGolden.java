package io.millrace.llm.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.Output.TokenLogprob;
import io.millrace.llm.golden.Golden;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.StreamSupport;

/** A golden file: prompts with what llama.cpp continued them with, and its logits. */
final class ModelGolden {

    /** What f16 keys and values may move a log probability by, with some reserve over the judge's own f16_kv_moves. */
    static final double LOGPROB_TOLERANCE = 2e-2;

    private final double nearTieMargin;
    private final List<JsonNode> rows;

    private ModelGolden(JsonNode document) {
        this.nearTieMargin = document.get("near_tie_margin").doubleValue();
        this.rows = StreamSupport.stream(document.get("prompts").spliterator(), false)
                .toList();
    }

    static ModelGolden read(String name) throws IOException {
        return new ModelGolden(Golden.json(name));
    }

    List<int[]> prompts() {
        return rows.stream().map(row -> Golden.ints(row.get("prompt"))).toList();
    }

    int steps() {
        return rows.getFirst().get("tokens").size();
    }

    /** Holds continuations and first-step log probabilities against the judge's. */
    void check(List<Generation.Result> results) {
        assertThat(results).hasSameSizeAs(rows);
        for (int i = 0; i < rows.size(); i++) {
            checkFirstStep(rows.get(i), results.get(i));
            checkTokens(rows.get(i), results.get(i));
        }
    }

    private void checkFirstStep(JsonNode row, Generation.Result result) {
        Map<Integer, Float> ours = new HashMap<>();
        for (TokenLogprob token : result.logprobs().getFirst().top()) {
            ours.put(token.tokenId(), token.logprob());
        }
        double logSumExp = row.get("log_sum_exp").doubleValue();
        List<JsonNode> pairs = new ArrayList<>();
        row.get("top").forEach(pairs::add);
        row.get("sampled").forEach(pairs::add);
        for (JsonNode pair : pairs) {
            double expected = pair.get(1).doubleValue() - logSumExp;
            double error = Math.abs(Objects.requireNonNull(ours.get(pair.get(0).intValue())) - expected);
            assertThat(error)
                    .as("%s: log probability of token %s, expected %s", name(row), pair.get(0), expected)
                    .isLessThanOrEqualTo(LOGPROB_TOLERANCE);
        }
    }

    /** A token may differ where the judge's margin is a near tie; nothing is compared after it. */
    private void checkTokens(JsonNode row, Generation.Result result) {
        int[] expected = Golden.ints(row.get("tokens"));
        for (int step = 0; step < expected.length; step++) {
            if (result.tokens().get(step) == expected[step]) {
                continue;
            }
            assertThat(row.get("margins").get(step).doubleValue())
                    .as(
                            "%s: token %d is %d, expected %d; the judge's margin",
                            name(row), step, result.tokens().get(step), expected[step])
                    .isLessThan(nearTieMargin);
            return;
        }
    }

    private static String name(JsonNode row) {
        return row.get("name").textValue();
    }
}
