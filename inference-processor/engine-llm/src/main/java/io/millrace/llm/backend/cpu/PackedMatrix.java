package io.millrace.llm.backend.cpu;

import io.millrace.llm.backend.Weight;
import java.util.Arrays;

/**
 * A weight matrix repacked into tiles of {@value #TILE_ROWS} rows, padded with zero rows. A tile dequantizes to f32 {@code [columns][16]}, which then
 * serves all tokens of a step.
 */
abstract sealed class PackedMatrix implements Weight permits PackedFloats, PackedHalves, PackedQ4, PackedQ8 {

    /** Rows per tile: two vectors of 8 f32. */
    static final int TILE_ROWS = 16;

    private final int rows;
    private final int columns;

    PackedMatrix(int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
    }

    @Override
    public final int rows() {
        return rows;
    }

    @Override
    public final int columns() {
        return columns;
    }

    /** Tiles that cover all rows. */
    final int tiles() {
        return Math.ceilDiv(rows, TILE_ROWS);
    }

    /** Writes tile {@code tile} to {@code buffer[0 …]} as {@code [columns][16]}. */
    abstract void dequantize(int tile, float[] buffer);

    /**
     * {@code out[outFrom + r] = Σ tile[k][r] · x[xFrom + k]} for its 16 rows, in the order of k, one fused multiply-add each: bitwise what
     * {@link #dequantize} and {@link TileKernel} give.
     *
     * @param buffer scratch, {@code [columns][16]}
     */
    void multiplyOne(int tile, float[] x, int xFrom, float[] out, int outFrom, float[] buffer) {
        dequantize(tile, buffer);
        Arrays.fill(out, outFrom, outFrom + TILE_ROWS, 0f);
        TileKernel.accumulate(x, xFrom, 0, 1, buffer, 0, columns, out, outFrom, TILE_ROWS);
    }

    /** Writes row {@code row} to {@code dst[from … from + columns)}. */
    abstract void row(int row, float[] dst, int from);
}
