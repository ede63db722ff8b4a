package io.millrace.llm.kvcache;

import java.util.List;

/**
 * What one sequence holds of the KV cache: a block table for each KV group, grown together.
 *
 * <p>Threads: the engine thread owns it.
 */
public final class KvBlocks {

    private final List<BlockPool> pools; // [groups]
    private final BlockTable[] tables; // [groups]
    private final int blockSize;

    /**
     * Holds nothing yet.
     *
     * @param pools one for each KV group, shared by all sequences
     * @param blockSize tokens of a block, at least 1
     */
    public KvBlocks(List<BlockPool> pools, int blockSize) {
        this.pools = pools;
        this.blockSize = blockSize;
        tables = new BlockTable[pools.size()];
        for (int i = 0; i < tables.length; i++) {
            tables[i] = new BlockTable();
        }
    }

    /** Blocks that so many tokens need in a group. */
    public static int blocksFor(int tokens, int blockSize) {
        return Math.ceilDiv(tokens, blockSize);
    }

    /** Whether each pool has what is missing for the first {@code tokens} positions, and {@code reserve} blocks beside. */
    public boolean canGrowTo(int tokens, int reserve) {
        int blocks = blocksFor(tokens, blockSize);
        for (int i = 0; i < tables.length; i++) {
            int missing = Math.max(0, blocks - tables[i].count());
            if (missing + reserve > pools.get(i).freeCount()) {
                return false;
            }
        }
        return true;
    }

    /**
     * Takes what is missing for the first {@code tokens} positions: all of it, or nothing when a pool has too little.
     *
     * @return whether the positions have a place now
     */
    public boolean growTo(int tokens) {
        if (!canGrowTo(tokens, 0)) {
            return false;
        }
        int blocks = blocksFor(tokens, blockSize);
        for (int i = 0; i < tables.length; i++) {
            while (tables[i].count() < blocks) {
                tables[i].append(pools.get(i).take());
            }
        }
        return true;
    }

    /** Block ids of the first {@code tokens} positions by group, {@code [groups][ceil(tokens / block_size)]}. */
    public int[][] tables(int tokens) {
        int[][] ids = new int[tables.length][];
        for (int i = 0; i < tables.length; i++) {
            ids[i] = tables[i].first(blocksFor(tokens, blockSize));
        }
        return ids;
    }

    /** Gives every block back. */
    public void release() {
        for (int i = 0; i < tables.length; i++) {
            tables[i].giveBackTo(pools.get(i));
        }
    }
}
