package io.millrace.llm.backend.cpu;

import io.millrace.llm.backend.KvCache;
import io.millrace.llm.backend.KvShape;

/**
 * Keys and values of each layer as f16 in panels of {@value #PANEL} positions, in the order in which attention reads them.
 *
 * <p>A panel of keys is {@code [headDim][16 positions]}: a tile whose columns are positions. A panel of values is {@code [headDim / 16][16 positions][16
 * dimensions]}: a tile per 16 dimensions, the last padded.
 */
final class CpuKvCache implements KvCache {

    /** Positions per panel. */
    static final int PANEL = 16;

    private final KvShape shape;
    private final int panelsPerBlock;
    private final int dimTiles;
    private final short[][] keys; // [layers][numBlocks][kvHeads][panelsPerBlock][headDim][16]
    private final short[][] values; // [layers][numBlocks][kvHeads][panelsPerBlock][dimTiles][16][16]

    CpuKvCache(KvShape shape) {
        if (shape.blockSize() % PANEL != 0) {
            throw new IllegalArgumentException("block_size=" + shape.blockSize() + ", expected=a multiple of " + PANEL);
        }
        this.shape = shape;
        this.panelsPerBlock = shape.blockSize() / PANEL;
        this.dimTiles = Math.ceilDiv(shape.headDim(), PANEL);
        long panels = (long) shape.numBlocks() * shape.kvHeads() * panelsPerBlock;
        int keyLength = Sizes.length("one layer's keys", panels, keyPanel());
        int valueLength = Sizes.length("one layer's values", panels, valuePanel());
        this.keys = new short[shape.layers()][keyLength];
        this.values = new short[shape.layers()][valueLength];
    }

    @Override
    public KvShape shape() {
        return shape;
    }

    short[] keys(int layer) {
        return keys[layer];
    }

    short[] values(int layer) {
        return values[layer];
    }

    /** Tiles of 16 dimensions per head. */
    int dimTiles() {
        return dimTiles;
    }

    /** Elements of a panel of keys. */
    int keyPanel() {
        return shape.headDim() * PANEL;
    }

    /** Elements of a panel of values. */
    int valuePanel() {
        return dimTiles * PANEL * PANEL;
    }

    /** Index of the panel that holds {@code position}, counted over all panels of a layer. */
    int panel(int[] blockTable, int kvHead, int position) {
        int inBlock = position % shape.blockSize() / PANEL;
        return (blockTable[position / shape.blockSize()] * shape.kvHeads() + kvHead) * panelsPerBlock + inBlock;
    }
}
