package io.millrace.llm.backend.cpu;

import io.millrace.llm.gguf.Dequantizer;
import io.millrace.llm.gguf.GgufTensor;
import java.util.Arrays;

/** F32 in tiles {@code [columns][16]}; also for anything else that no other layout holds exactly. */
final class PackedFloats extends PackedMatrix {

    private final float[] data; // [tiles][columns][16]

    private PackedFloats(int rows, int columns, float[] data) {
        super(rows, columns);
        this.data = data;
    }

    static PackedFloats pack(GgufTensor tensor, WorkerPool pool) {
        int rows = Math.toIntExact(tensor.rows());
        int columns = Math.toIntExact(tensor.columns());
        int tiles = Math.ceilDiv(rows, TILE_ROWS);
        float[] data = new float[Sizes.length(tensor.name(), tiles, columns, TILE_ROWS)];
        pool.run(tiles, (tile, thread) -> {
            float[] values = new float[columns];
            for (int r = 0; r < Math.min(TILE_ROWS, rows - tile * TILE_ROWS); r++) {
                long from = tensor.type().bytesOf((long) (tile * TILE_ROWS + r) * columns);
                Dequantizer.dequantize(tensor.type(), tensor.data(), from, values, 0, columns);
                for (int k = 0; k < columns; k++) {
                    data[(tile * columns + k) * TILE_ROWS + r] = values[k];
                }
            }
        });
        return new PackedFloats(rows, columns, data);
    }

    /** A matrix of one row. */
    static PackedFloats ofRow(float[] values) {
        float[] data = new float[values.length * TILE_ROWS];
        for (int k = 0; k < values.length; k++) {
            data[k * TILE_ROWS] = values[k];
        }
        return new PackedFloats(1, values.length, data);
    }

    @Override
    void dequantize(int tile, float[] buffer) {
        int count = columns() * TILE_ROWS;
        System.arraycopy(data, tile * count, buffer, 0, count);
    }

    @Override
    void multiplyOne(int tile, float[] x, int xFrom, float[] out, int outFrom, float[] buffer) {
        Arrays.fill(out, outFrom, outFrom + TILE_ROWS, 0f);
        int from = tile * columns() * TILE_ROWS;
        TileKernel.accumulate(x, xFrom, 0, 1, data, from, columns(), out, outFrom, TILE_ROWS);
    }

    @Override
    void row(int row, float[] dst, int from) {
        int at = row / TILE_ROWS * columns() * TILE_ROWS + row % TILE_ROWS;
        for (int k = 0; k < columns(); k++) {
            dst[from + k] = data[at + k * TILE_ROWS];
        }
    }
}
