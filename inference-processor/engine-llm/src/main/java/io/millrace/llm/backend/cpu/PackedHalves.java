package io.millrace.llm.backend.cpu;

import io.millrace.llm.gguf.GgmlType;
import io.millrace.llm.gguf.GgufTensor;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** F16 and BF16 as they are, in tiles {@code [columns][16]}. */
final class PackedHalves extends PackedMatrix {

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int LANES = 8;
    private static final int BF16_SHIFT = 16;

    private final short[] data; // [tiles][columns][16]
    private final GgmlType type;

    private PackedHalves(GgmlType type, int rows, int columns, short[] data) {
        super(rows, columns);
        this.type = type;
        this.data = data;
    }

    static PackedHalves pack(GgufTensor tensor, WorkerPool pool) {
        int rows = Math.toIntExact(tensor.rows());
        int columns = Math.toIntExact(tensor.columns());
        int tiles = Math.ceilDiv(rows, TILE_ROWS);
        short[] data = new short[Sizes.length(tensor.name(), tiles, columns, TILE_ROWS)];
        pool.run(tiles, (tile, thread) -> {
            for (int r = 0; r < Math.min(TILE_ROWS, rows - tile * TILE_ROWS); r++) {
                long from = (long) (tile * TILE_ROWS + r) * columns;
                for (int k = 0; k < columns; k++) {
                    data[(tile * columns + k) * TILE_ROWS + r] = tensor.data().getAtIndex(SHORT, from + k);
                }
            }
        });
        return new PackedHalves(tensor.type(), rows, columns, data);
    }

    @Override
    void dequantize(int tile, float[] buffer) {
        int count = columns() * TILE_ROWS;
        if (type == GgmlType.F16) {
            widenF16(data, tile * count, count, buffer);
        } else {
            widenBf16(data, tile * count, count, buffer);
        }
    }

    /** C2 turns this loop into vector conversions. */
    static void widenF16(short[] halves, int from, int count, float[] dst) {
        for (int i = 0; i < count; i++) {
            dst[i] = Float.float16ToFloat(halves[from + i]);
        }
    }

    private static void widenBf16(short[] halves, int from, int count, float[] dst) {
        for (int i = 0; i < count; i += LANES) {
            ((IntVector) ShortVector.fromArray(ShortVector.SPECIES_128, halves, from + i)
                            .convertShape(VectorOperators.S2I, IntVector.SPECIES_256, 0))
                    .lanewise(VectorOperators.LSHL, BF16_SHIFT)
                    .reinterpretAsFloats()
                    .intoArray(dst, i);
        }
    }

    @Override
    void row(int row, float[] dst, int from) {
        int at = row / TILE_ROWS * columns() * TILE_ROWS + row % TILE_ROWS;
        for (int k = 0; k < columns(); k++) {
            short half = data[at + k * TILE_ROWS];
            dst[from + k] =
                    type == GgmlType.F16 ? Float.float16ToFloat(half) : Float.intBitsToFloat(half << BF16_SHIFT);
        }
    }
}
