package io.millrace.llm.backend;

import io.millrace.llm.sampler.SampleRequest;
import java.util.ArrayList;
import java.util.List;

/**
 * A step's tokens side by side, the form in which operations take them: row t of every activation belongs to token t.
 *
 * @param tokens ids, {@code [tokenCount]}
 * @param positions position of each token in its sequence, {@code [tokenCount]}
 * @param spans runs of consecutive tokens of one sequence, in row order, covering all rows
 * @param sampledRows rows whose next token is drawn, ascending, {@code [sampledCount]}
 * @param requests how to draw each of them, {@code [sampledCount]}
 */
public record Batch(int[] tokens, int[] positions, List<Span> spans, int[] sampledRows, List<SampleRequest> requests) {

    /**
     * Consecutive tokens of one sequence.
     *
     * @param row row of the first
     * @param count rows
     * @param start position of the first
     * @param blockTables KV block ids by KV group; position p is in block {@code p / block_size}
     */
    public record Span(int row, int count, int start, int[][] blockTables) {}

    /** Lays a step's items side by side. Every token must be known to the host. */
    public static Batch of(StepInput step) {
        int tokenCount = step.tokenCount();
        int[] tokens = new int[tokenCount];
        int[] positions = new int[tokenCount];
        List<Span> spans = new ArrayList<>(step.items().size());
        List<Integer> sampledRows = new ArrayList<>();
        List<SampleRequest> requests = new ArrayList<>();
        int row = 0;
        for (StepInput.Item item : step.items()) {
            System.arraycopy(item.tokens(), 0, tokens, row, item.count());
            for (int i = 0; i < item.count(); i++) {
                positions[row + i] = item.start() + i;
            }
            spans.add(new Span(row, item.count(), item.start(), item.blockTables()));
            row += item.count();
            if (item.sample().isPresent()) {
                sampledRows.add(row - 1);
                requests.add(item.sample().get());
            }
        }
        int[] rows = sampledRows.stream().mapToInt(Integer::intValue).toArray();
        return new Batch(tokens, positions, List.copyOf(spans), rows, List.copyOf(requests));
    }

    /** The span that row {@code row} is in. */
    public Span spanOf(int row) {
        int low = 0;
        for (int high = spans.size(); high - low > 1; ) {
            int middle = (low + high) / 2;
            if (spans.get(middle).row() <= row) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return spans.get(low);
    }

    public int tokenCount() {
        return tokens.length;
    }

    public int sampledCount() {
        return sampledRows.length;
    }
}
