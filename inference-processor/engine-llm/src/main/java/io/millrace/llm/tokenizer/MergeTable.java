package io.millrace.llm.tokenizer;

import java.util.Arrays;

/** Which two symbols merge, at what rank, into what. An open-addressing hash table of longs: two ids in the key, rank and id in the value. */
final class MergeTable {

    /** No such merge. Its rank is above every real one. */
    static final long NONE = Long.MAX_VALUE;

    private static final long FREE = -1;

    private final long[] keys;
    private final long[] values;
    private final int mask;

    MergeTable(int mergeCount) {
        int capacity = Integer.highestOneBit(Math.max(4, mergeCount)) * 4;
        keys = new long[capacity];
        values = new long[capacity];
        mask = capacity - 1;
        Arrays.fill(keys, FREE);
    }

    /** Adds a merge unless these two have one already. */
    void add(int left, int right, int rank, int merged) {
        long key = key(left, right);
        int slot = slot(key);
        if (keys[slot] == FREE) {
            keys[slot] = key;
            values[slot] = (long) rank << 32 | merged;
        }
    }

    /** The merge of these two, or {@link #NONE}. */
    long find(int left, int right) {
        int slot = slot(key(left, right));
        return keys[slot] == FREE ? NONE : values[slot];
    }

    static int rank(long merge) {
        return (int) (merge >>> 32);
    }

    static int merged(long merge) {
        return (int) merge;
    }

    private static long key(int left, int right) {
        return (long) left << 32 | right;
    }

    private int slot(long key) {
        long hash = key * 0x9E3779B97F4A7C15L;
        int slot = (int) (hash >>> 32) & mask;
        while (keys[slot] != FREE && keys[slot] != key) {
            slot = slot + 1 & mask;
        }
        return slot;
    }
}
