package io.millrace.llm.scheduler;

import java.util.List;

/**
 * The tokens of one step.
 *
 * @param items in batch order, no sequence twice
 */
public record BatchPlan(List<Item> items) {

    public BatchPlan {
        items = List.copyOf(items);
    }

    /** Whether there is nothing to run. */
    public boolean isEmpty() {
        return items.isEmpty();
    }

    /** Tokens of the step, over all items. */
    public int tokenCount() {
        int count = 0;
        for (Item item : items) {
            count += item.count();
        }
        return count;
    }

    /**
     * Positions {@code [start, start + count)} of one sequence. Prompt or answer: there is no difference.
     *
     * @param slot the sequence's slot
     * @param incarnation the sequence's preemptions when this was planned: after a further one the item counts no more
     * @param draws whether the token at {@code start + count} is drawn; not so within a prompt
     */
    public record Item(Sequence sequence, int slot, int incarnation, int start, int count, boolean draws) {

        /** Position after the last: that of the token drawn. */
        public int end() {
            return start + count;
        }

        /** Ids that the host knows of this item's, {@code [count]}, or one fewer when the last is in flight. */
        public int[] knownTokens() {
            return sequence.tokens(start, Math.min(end(), sequence.known()));
        }

        /** Block ids by KV group, {@code [groups][ceil(end / block_size)]}. */
        public int[][] blockTables() {
            return sequence.blocks().tables(end());
        }
    }
}
