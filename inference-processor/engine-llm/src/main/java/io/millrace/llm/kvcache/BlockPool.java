package io.millrace.llm.kvcache;

import java.util.BitSet;

/**
 * The KV blocks of one KV group, as ids {@code 0 … size - 1}. The block given back last is taken first: it is warmest in
 * the processor's caches.
 *
 * <p>Threads: the engine thread owns it.
 */
public final class BlockPool {

    private final int[] freeIds; // [size], the first freeCount are free
    private final BitSet taken; // [size]
    private int freeCount;

    /**
     * A pool with every block free.
     *
     * @param size number of blocks, at least 1
     */
    public BlockPool(int size) {
        if (size < 1) {
            throw new IllegalArgumentException("num_blocks=" + size + ", expected=at least 1");
        }
        freeIds = new int[size];
        taken = new BitSet(size);
        freeCount = size;
        for (int i = 0; i < size; i++) {
            freeIds[i] = size - 1 - i;
        }
    }

    /** Blocks in all. */
    public int size() {
        return freeIds.length;
    }

    /** Blocks that can be taken. */
    public int freeCount() {
        return freeCount;
    }

    /** Blocks that are taken. */
    public int usedCount() {
        return freeIds.length - freeCount;
    }

    /**
     * Takes a block.
     *
     * @return its id
     * @throws IllegalStateException when none is free
     */
    int take() {
        if (freeCount == 0) {
            throw new IllegalStateException("free_blocks=0, expected=at least 1 of " + size());
        }
        int id = freeIds[--freeCount];
        taken.set(id);
        return id;
    }

    /**
     * Gives a block back.
     *
     * @throws IllegalStateException when it is not taken
     */
    void giveBack(int id) {
        if (!taken.get(id)) {
            throw new IllegalStateException("block=" + id + ", expected=a block that is taken");
        }
        taken.clear(id);
        freeIds[freeCount++] = id;
    }
}
