package io.millrace.llm.scheduler;

import java.util.ArrayList;
import java.util.List;

/** A plan in the making. */
final class Draft {

    private final List<BatchPlan.Item> items = new ArrayList<>();
    private final boolean inChunks;
    private int room; // tokens

    /** An empty one. While the budget is short of what is configured a whole prompt may never fit: prompts go in chunks. */
    Draft(StepBudget budget, PrefillMode mode) {
        inChunks = mode == PrefillMode.CHUNKED || !budget.isWhole();
        room = budget.tokens();
    }

    BatchPlan plan() {
        return new BatchPlan(items);
    }

    /** Tokens of the sequence that go into this step; 0 when there is no room for what must go in at once. */
    int chunk(Sequence sequence) {
        int remaining = sequence.remaining();
        return !inChunks && remaining > room ? 0 : Math.min(remaining, room);
    }

    boolean addChunk(Sequence sequence) {
        int count = chunk(sequence);
        if (count > 0) {
            add(sequence, count);
        }
        return count > 0;
    }

    void add(Sequence sequence, int count) {
        int start = sequence.scheduled();
        boolean draws = sequence.schedule(count);
        items.add(new BatchPlan.Item(sequence, sequence.slot(), sequence.preemptions(), start, count, draws));
        room -= count;
    }
}
