package io.millrace.llm.backend.cpu;

import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.millrace.llm.gguf.GgmlType;
import io.millrace.llm.gguf.GgufTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Q4_1 ({@code d · q + m}), and Q4_0 as Q4_1 of {@code m = -8 · d}, which is exact.
 *
 * <p>8 rows are interleaved: a block of 32 columns is 40 ints, lane r of each group of 8 belonging to row r. Int {@code 8 v + r} holds columns 8 v to
 * 8 v + 7, nibble {@code 2 j} column 8 v + j and nibble {@code 2 j + 1} column 8 v + 4 + j; int {@code 32 + r} is d in the low half, m in the high one,
 * as f16. 0.625 bytes a weight, as in the file.
 */
final class PackedQ4 extends PackedMatrix {

    private static final VectorSpecies<Float> F = FloatVector.SPECIES_256;
    private static final VectorSpecies<Integer> I = IntVector.SPECIES_256;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int BLOCK = 32;
    private static final int GROUP = 8;
    private static final int INTS = 40;
    private static final int SCALES = 32;
    private static final int MAGNITUDE = 0x0fffe000;
    private static final int SIGN = 0x80000000;
    private static final float HALF_TO_FLOAT = 0x1p112f;

    private final int[] data; // [tiles · 2][blocks][40]
    private final int blocks;

    private PackedQ4(int rows, int columns, int[] data) {
        super(rows, columns);
        this.data = data;
        this.blocks = columns / BLOCK;
    }

    static PackedQ4 pack(GgufTensor tensor, WorkerPool pool) {
        int rows = Math.toIntExact(tensor.rows());
        int columns = Math.toIntExact(tensor.columns());
        int blocks = columns / BLOCK;
        int groups = Math.ceilDiv(rows, TILE_ROWS) * 2;
        int[] data = new int[Sizes.length(tensor.name(), groups, blocks, INTS)];
        pool.run(groups, (group, thread) -> {
            int[] quants = new int[BLOCK];
            for (int r = 0; r < Math.min(GROUP, rows - group * GROUP); r++) {
                for (int b = 0; b < blocks; b++) {
                    long block = (long) (group * GROUP + r) * blocks + b;
                    packBlock(tensor, block, quants, data, (group * blocks + b) * INTS + r);
                }
            }
        });
        return new PackedQ4(rows, columns, data);
    }

    private static void packBlock(GgufTensor tensor, long block, int[] quants, int[] data, int to) {
        MemorySegment bytes = tensor.data();
        boolean hasMinimum = tensor.type() == GgmlType.Q4_1;
        long from = block * tensor.type().bytesPerBlock();
        short d = bytes.get(SHORT, from);
        short m = hasMinimum ? bytes.get(SHORT, from + 2) : Float.floatToFloat16(-8 * Float.float16ToFloat(d));
        long nibbles = from + (hasMinimum ? 4 : 2);
        for (int i = 0; i < BLOCK / 2; i++) {
            int pair = bytes.get(ValueLayout.JAVA_BYTE, nibbles + i);
            quants[i] = pair & 15;
            quants[i + BLOCK / 2] = pair >> 4 & 15;
        }
        for (int v = 0; v < 4; v++) {
            int packed = 0;
            for (int j = 0; j < 4; j++) {
                packed |= quants[8 * v + j] << (8 * j);
                packed |= quants[8 * v + 4 + j] << (8 * j + 4);
            }
            data[to + v * GROUP] = packed;
        }
        data[to + SCALES] = (d & 0xffff) | (m << 16);
    }

    @Override
    void dequantize(int tile, float[] buffer) {
        dequantizeGroup(data, 2 * tile * blocks * INTS, blocks, buffer, 0);
        dequantizeGroup(data, (2 * tile + 1) * blocks * INTS, blocks, buffer, GROUP);
    }

    private static void dequantizeGroup(int[] data, int from, int blocks, float[] buffer, int to) {
        int at = from;
        int e = to;
        for (int b = 0; b < blocks; b++, at += INTS) {
            IntVector s = IntVector.fromArray(I, data, at + SCALES);
            FloatVector d = half(s.lanewise(LSHL, 16));
            FloatVector m = half(s);
            for (int v = 0; v < 4; v++, e += 8 * TILE_ROWS) {
                IntVector q = IntVector.fromArray(I, data, at + v * GROUP);
                ((FloatVector) q.and(15).convert(I2F, 0)).fma(d, m).intoArray(buffer, e);
                ((FloatVector) q.lanewise(LSHR, 8).and(15).convert(I2F, 0))
                        .fma(d, m)
                        .intoArray(buffer, e + 16);
                ((FloatVector) q.lanewise(LSHR, 16).and(15).convert(I2F, 0))
                        .fma(d, m)
                        .intoArray(buffer, e + 32);
                ((FloatVector) q.lanewise(LSHR, 24).and(15).convert(I2F, 0))
                        .fma(d, m)
                        .intoArray(buffer, e + 48);
                ((FloatVector) q.lanewise(LSHR, 4).and(15).convert(I2F, 0))
                        .fma(d, m)
                        .intoArray(buffer, e + 64);
                ((FloatVector) q.lanewise(LSHR, 12).and(15).convert(I2F, 0))
                        .fma(d, m)
                        .intoArray(buffer, e + 80);
                ((FloatVector) q.lanewise(LSHR, 20).and(15).convert(I2F, 0))
                        .fma(d, m)
                        .intoArray(buffer, e + 96);
                ((FloatVector) q.lanewise(LSHR, 28).convert(I2F, 0)).fma(d, m).intoArray(buffer, e + 112);
            }
        }
    }

    /** The half-precision number in the upper 16 bits of each lane. */
    private static FloatVector half(IntVector bits) {
        return bits.lanewise(LSHR, 3)
                .and(MAGNITUDE)
                .reinterpretAsFloats()
                .mul(HALF_TO_FLOAT)
                .reinterpretAsInts()
                .or(bits.and(SIGN))
                .reinterpretAsFloats();
    }

    /**
     * Dequantizes in registers: no buffer, the same operations in the same order. Written out: with a method for each of the eight steps
     * the compiler no longer keeps the vectors in registers, and it takes ten times as long.
     */
    @Override
    void multiplyOne(int tile, float[] x, int xFrom, float[] out, int outFrom, float[] buffer) {
        int at = 2 * tile * blocks * INTS;
        int other = at + blocks * INTS;
        int k = xFrom;
        FloatVector sum0 = FloatVector.zero(F);
        FloatVector sum1 = FloatVector.zero(F);
        for (int b = 0; b < blocks; b++, at += INTS, other += INTS) {
            IntVector s0 = IntVector.fromArray(I, data, at + SCALES);
            FloatVector d0 = half(s0.lanewise(LSHL, 16));
            FloatVector m0 = half(s0);
            IntVector s1 = IntVector.fromArray(I, data, other + SCALES);
            FloatVector d1 = half(s1.lanewise(LSHL, 16));
            FloatVector m1 = half(s1);
            for (int v = 0; v < 4; v++, k += 8) {
                IntVector q0 = IntVector.fromArray(I, data, at + v * GROUP);
                IntVector q1 = IntVector.fromArray(I, data, other + v * GROUP);
                FloatVector f = FloatVector.broadcast(F, x[k]);
                sum0 = f.fma(((FloatVector) q0.and(15).convert(I2F, 0)).fma(d0, m0), sum0);
                sum1 = f.fma(((FloatVector) q1.and(15).convert(I2F, 0)).fma(d1, m1), sum1);
                f = FloatVector.broadcast(F, x[k + 1]);
                sum0 = f.fma(((FloatVector) q0.lanewise(LSHR, 8).and(15).convert(I2F, 0)).fma(d0, m0), sum0);
                sum1 = f.fma(((FloatVector) q1.lanewise(LSHR, 8).and(15).convert(I2F, 0)).fma(d1, m1), sum1);
                f = FloatVector.broadcast(F, x[k + 2]);
                sum0 = f.fma(((FloatVector) q0.lanewise(LSHR, 16).and(15).convert(I2F, 0)).fma(d0, m0), sum0);
                sum1 = f.fma(((FloatVector) q1.lanewise(LSHR, 16).and(15).convert(I2F, 0)).fma(d1, m1), sum1);
                f = FloatVector.broadcast(F, x[k + 3]);
                sum0 = f.fma(((FloatVector) q0.lanewise(LSHR, 24).and(15).convert(I2F, 0)).fma(d0, m0), sum0);
                sum1 = f.fma(((FloatVector) q1.lanewise(LSHR, 24).and(15).convert(I2F, 0)).fma(d1, m1), sum1);
                f = FloatVector.broadcast(F, x[k + 4]);
                sum0 = f.fma(((FloatVector) q0.lanewise(LSHR, 4).and(15).convert(I2F, 0)).fma(d0, m0), sum0);
                sum1 = f.fma(((FloatVector) q1.lanewise(LSHR, 4).and(15).convert(I2F, 0)).fma(d1, m1), sum1);
                f = FloatVector.broadcast(F, x[k + 5]);
                sum0 = f.fma(((FloatVector) q0.lanewise(LSHR, 12).and(15).convert(I2F, 0)).fma(d0, m0), sum0);
                sum1 = f.fma(((FloatVector) q1.lanewise(LSHR, 12).and(15).convert(I2F, 0)).fma(d1, m1), sum1);
                f = FloatVector.broadcast(F, x[k + 6]);
                sum0 = f.fma(((FloatVector) q0.lanewise(LSHR, 20).and(15).convert(I2F, 0)).fma(d0, m0), sum0);
                sum1 = f.fma(((FloatVector) q1.lanewise(LSHR, 20).and(15).convert(I2F, 0)).fma(d1, m1), sum1);
                f = FloatVector.broadcast(F, x[k + 7]);
                sum0 = f.fma(((FloatVector) q0.lanewise(LSHR, 28).convert(I2F, 0)).fma(d0, m0), sum0);
                sum1 = f.fma(((FloatVector) q1.lanewise(LSHR, 28).convert(I2F, 0)).fma(d1, m1), sum1);
            }
        }
        sum0.intoArray(out, outFrom);
        sum1.intoArray(out, outFrom + GROUP);
    }

    @Override
    void row(int row, float[] dst, int from) {
        for (int b = 0; b < blocks; b++) {
            int at = ((row / GROUP) * blocks + b) * INTS + row % GROUP;
            float d = Float.float16ToFloat((short) data[at + SCALES]);
            float m = Float.float16ToFloat((short) (data[at + SCALES] >> 16));
            for (int i = 0; i < BLOCK; i++) {
                int shift = 8 * (i % 4) + (i % 8 / 4) * 4;
                int q = data[at + i / 8 * GROUP] >>> shift & 15;
                dst[from + b * BLOCK + i] = Math.fma(q, d, m);
            }
        }
    }
}
