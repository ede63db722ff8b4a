package io.millrace.llm.kvcache;

import java.util.Arrays;

/** The blocks of one sequence in one KV group, by position: position p is in block {@code p / block_size} of the table. */
final class BlockTable {

    private static final int INITIAL_CAPACITY = 8;

    private int[] ids = new int[INITIAL_CAPACITY]; // [capacity], the first count are held
    private int count;

    int count() {
        return count;
    }

    void append(int id) {
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, 2 * count);
        }
        ids[count++] = id;
    }

    /** Ids of the first blocks, {@code [blocks]}. */
    int[] first(int blocks) {
        assert blocks <= count : blocks + " of " + count;
        return Arrays.copyOf(ids, blocks);
    }

    void giveBackTo(BlockPool pool) {
        while (count > 0) {
            pool.giveBack(ids[--count]);
        }
    }
}
