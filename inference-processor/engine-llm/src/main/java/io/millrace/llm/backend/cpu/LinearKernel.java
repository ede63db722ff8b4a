package io.millrace.llm.backend.cpu;

import io.millrace.llm.backend.Linear;
import io.millrace.llm.backend.Weight;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * Linear layers in parallel over weight tiles. Each tile is dequantized once per call, whatever the number of tokens, multiplied with all of them, and its
 * outputs go where a {@link Sink} puts them.
 */
final class LinearKernel {

    /** Chunks per thread: enough for a thread that lost its core to be made up for. */
    private static final int CHUNKS_PER_THREAD = 6;

    private static final int TILE_ROWS = PackedMatrix.TILE_ROWS;

    private final WorkerPool pool;
    private final Scratch[] scratch;
    private final LongAdder dequantizedTiles = new LongAdder();

    /** Takes the outputs of one tile. */
    private interface Sink {
        /**
         * @param from first output of the tile
         * @param width outputs of the tile that exist, at most 16
         * @param product {@code [rows][16]}
         */
        void accept(int from, int width, float[] product);
    }

    LinearKernel(WorkerPool pool, Scratch[] scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    long dequantizedTiles() {
        return dequantizedTiles.sum();
    }

    /** Writes the outputs of several layers of one input side by side: {@code out[:, columns[i] …] = linears[i](in)}. */
    void store(int rows, CpuTensor in, List<Linear> linears, int[] columns, CpuTensor out) {
        int[] firstTile = firstTiles(linears);
        int tiles = firstTile[linears.size()];
        overTiles(tiles, (tile, memory) -> {
            int which = which(firstTile, tile);
            int column = columns[which];
            Linear linear = linears.get(which);
            float[] product = memory.product.atLeast(rows * TILE_ROWS);
            outputs(rows, in, linear, tile - firstTile[which], memory, product, (from, width, values) -> {
                for (int t = 0; t < rows; t++) {
                    System.arraycopy(values, t * TILE_ROWS, out.data(), t * out.columns() + column + from, width);
                }
            });
        });
    }

    /** {@code sum += linear(in)}. */
    void add(int rows, CpuTensor in, Linear linear, CpuTensor sum) {
        overTiles(matrix(linear.weight()).tiles(), (tile, memory) -> {
            float[] product = memory.product.atLeast(rows * TILE_ROWS);
            outputs(rows, in, linear, tile, memory, product, (from, width, values) -> {
                for (int t = 0; t < rows; t++) {
                    int to = t * sum.columns() + from;
                    for (int r = 0; r < width; r++) {
                        sum.data()[to + r] += values[t * TILE_ROWS + r];
                    }
                }
            });
        });
    }

    /** {@code out = silu(gate(in)) · up(in)}, a tile of each at a time. */
    void gateUp(int rows, CpuTensor in, Linear gate, Linear up, CpuTensor out) {
        overTiles(matrix(gate.weight()).tiles(), (tile, memory) -> {
            float[] gates = memory.product.atLeast(rows * TILE_ROWS);
            float[] ups = memory.secondProduct.atLeast(rows * TILE_ROWS);
            outputs(rows, in, gate, tile, memory, gates, (from, width, values) -> {});
            outputs(rows, in, up, tile, memory, ups, (from, width, values) -> {
                VectorMath.siluMultiply(gates, 0, values, 0, values, 0, rows * TILE_ROWS);
                for (int t = 0; t < rows; t++) {
                    System.arraycopy(values, t * TILE_ROWS, out.data(), t * out.columns() + from, width);
                }
            });
        });
    }

    private interface TileBody {
        void run(int tile, Scratch memory);
    }

    private void overTiles(int tiles, TileBody body) {
        int chunks = Math.min(tiles, pool.threads() * CHUNKS_PER_THREAD);
        pool.run(chunks, (chunk, thread) -> {
            int end = (int) ((long) tiles * (chunk + 1) / chunks);
            for (int tile = (int) ((long) tiles * chunk / chunks); tile < end; tile++) {
                body.run(tile, scratch[thread]);
            }
        });
    }

    /** Computes {@code product[rows][16]} of one tile and hands it to the sink. */
    private void outputs(int rows, CpuTensor in, Linear linear, int tile, Scratch memory, float[] product, Sink sink) {
        PackedMatrix matrix = matrix(linear.weight());
        int count = matrix.columns();
        float[] buffer = memory.tile.atLeast(count * TILE_ROWS);
        if (rows == 1) {
            matrix.multiplyOne(tile, in.data(), 0, product, 0, buffer);
        } else {
            matrix.dequantize(tile, buffer);
            Arrays.fill(product, 0, rows * TILE_ROWS, 0f);
            TileKernel.accumulate(in.data(), 0, in.columns(), rows, buffer, 0, count, product, 0, TILE_ROWS);
        }
        dequantizedTiles.increment();
        int from = tile * TILE_ROWS;
        int width = Math.min(TILE_ROWS, matrix.rows() - from);
        if (linear.bias() instanceof CpuVector bias) {
            addBias(rows, bias.values(), from, width, product);
        }
        sink.accept(from, width, product);
    }

    private static void addBias(int rows, float[] bias, int from, int width, float[] product) {
        for (int t = 0; t < rows; t++) {
            for (int r = 0; r < width; r++) {
                product[t * TILE_ROWS + r] += bias[from + r];
            }
        }
    }

    /** Index of the first tile of each layer when all layers' tiles are counted through; the last entry is their number. */
    private static int[] firstTiles(List<Linear> linears) {
        int[] first = new int[linears.size() + 1];
        for (int i = 0; i < linears.size(); i++) {
            first[i + 1] = first[i] + matrix(linears.get(i).weight()).tiles();
        }
        return first;
    }

    private static int which(int[] firstTile, int tile) {
        int which = 0;
        while (tile >= firstTile[which + 1]) {
            which++;
        }
        return which;
    }

    /** A file does not tell a matrix of one row from a vector: here it turns out to be one. */
    static PackedMatrix matrix(Weight weight) {
        return weight instanceof CpuVector row ? PackedFloats.ofRow(row.values()) : (PackedMatrix) weight;
    }
}
