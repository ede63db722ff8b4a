package io.millrace.llm.backend;

import io.millrace.llm.sampler.SampleRequest;
import java.util.List;
import java.util.Optional;

/**
 * One step: a forward pass over some tokens of some sequences, prefill and decode alike.
 *
 * @param items in batch order; no two share a slot
 */
public record StepInput(List<Item> items) {

    public StepInput {
        items = List.copyOf(items);
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
     * Tokens {@code [start, start + count)} of one sequence.
     *
     * <p>{@code tokens} holds the ids known to the host. It may be one shorter than {@code count}: the last token is then
     * the one that this slot's newest step in flight draws, which only the device knows yet.
     *
     * @param slot the sequence's place, 0 to max_num_seqs - 1, for as long as it runs
     * @param tokens ids of positions {@code start …}, {@code [count]} or {@code [count - 1]}
     * @param start position of the first token, from 0; the keys and values of all earlier positions are in the cache
     * @param count tokens of this item, at least 1
     * @param blockTables KV block ids by KV group, each {@code [ceil((start + count) / block_size)]}; position p is in block
     *     {@code p / block_size} at {@code p % block_size}
     * @param sample how to draw the token after the last one; empty when nothing is to be drawn (a prompt's inner chunk)
     */
    public record Item(
            int slot, int[] tokens, int start, int count, int[][] blockTables, Optional<SampleRequest> sample) {}
}
