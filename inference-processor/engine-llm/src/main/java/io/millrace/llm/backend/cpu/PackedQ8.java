package io.millrace.llm.backend.cpu;

import io.millrace.llm.gguf.GgufTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Q8_0 ({@code d · q}).
 *
 * <p>8 rows are interleaved: a block of 32 columns is 72 ints, lane r of each group of 8 belonging to row r. Int {@code 8 v + r} holds columns 4 v to
 * 4 v + 3, a signed byte each, the first lowest; int {@code 64 + r} is d as f32. 1.125 bytes a weight.
 */
final class PackedQ8 extends PackedMatrix {

    private static final VectorSpecies<Float> F = FloatVector.SPECIES_256;
    private static final VectorSpecies<Integer> I = IntVector.SPECIES_256;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int BLOCK = 32;
    private static final int GROUP = 8;
    private static final int INTS = 72;
    private static final int SCALES = 64;

    private final int[] data; // [tiles · 2][blocks][72]
    private final int blocks;

    private PackedQ8(int rows, int columns, int[] data) {
        super(rows, columns);
        this.data = data;
        this.blocks = columns / BLOCK;
    }

    static PackedQ8 pack(GgufTensor tensor, WorkerPool pool) {
        int rows = Math.toIntExact(tensor.rows());
        int columns = Math.toIntExact(tensor.columns());
        int blocks = columns / BLOCK;
        int groups = Math.ceilDiv(rows, TILE_ROWS) * 2;
        int[] data = new int[Sizes.length(tensor.name(), groups, blocks, INTS)];
        pool.run(groups, (group, thread) -> {
            for (int r = 0; r < Math.min(GROUP, rows - group * GROUP); r++) {
                for (int b = 0; b < blocks; b++) {
                    long block = (long) (group * GROUP + r) * blocks + b;
                    packBlock(
                            tensor.data(),
                            block * tensor.type().bytesPerBlock(),
                            data,
                            (group * blocks + b) * INTS + r);
                }
            }
        });
        return new PackedQ8(rows, columns, data);
    }

    private static void packBlock(MemorySegment bytes, long from, int[] data, int to) {
        for (int v = 0; v < 8; v++) {
            int packed = 0;
            for (int j = 0; j < 4; j++) {
                packed |= (bytes.get(ValueLayout.JAVA_BYTE, from + 2 + 4L * v + j) & 0xff) << (8 * j);
            }
            data[to + v * GROUP] = packed;
        }
        data[to + SCALES] = Float.floatToRawIntBits(Float.float16ToFloat(bytes.get(SHORT, from)));
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
            FloatVector d = IntVector.fromArray(I, data, at + SCALES).reinterpretAsFloats();
            for (int v = 0; v < 8; v++, e += 4 * TILE_ROWS) {
                IntVector q = IntVector.fromArray(I, data, at + v * GROUP);
                ((FloatVector) q.lanewise(VectorOperators.LSHL, 24)
                                .lanewise(VectorOperators.ASHR, 24)
                                .convert(VectorOperators.I2F, 0))
                        .mul(d)
                        .intoArray(buffer, e);
                ((FloatVector) q.lanewise(VectorOperators.LSHL, 16)
                                .lanewise(VectorOperators.ASHR, 24)
                                .convert(VectorOperators.I2F, 0))
                        .mul(d)
                        .intoArray(buffer, e + 16);
                ((FloatVector) q.lanewise(VectorOperators.LSHL, 8)
                                .lanewise(VectorOperators.ASHR, 24)
                                .convert(VectorOperators.I2F, 0))
                        .mul(d)
                        .intoArray(buffer, e + 32);
                ((FloatVector) q.lanewise(VectorOperators.ASHR, 24).convert(VectorOperators.I2F, 0))
                        .mul(d)
                        .intoArray(buffer, e + 48);
            }
        }
    }

    /** Dequantizes in registers: no buffer, the same operations in the same order. */
    @Override
    void multiplyOne(int tile, float[] x, int xFrom, float[] out, int outFrom, float[] buffer) {
        int at = 2 * tile * blocks * INTS;
        int other = at + blocks * INTS;
        int k = xFrom;
        FloatVector sum0 = FloatVector.zero(F);
        FloatVector sum1 = FloatVector.zero(F);
        for (int b = 0; b < blocks; b++, at += INTS, other += INTS) {
            FloatVector d0 = IntVector.fromArray(I, data, at + SCALES).reinterpretAsFloats();
            FloatVector d1 = IntVector.fromArray(I, data, other + SCALES).reinterpretAsFloats();
            for (int v = 0; v < 8; v++, k += 4) {
                IntVector q0 = IntVector.fromArray(I, data, at + v * GROUP);
                IntVector q1 = IntVector.fromArray(I, data, other + v * GROUP);
                FloatVector f = FloatVector.broadcast(F, x[k]);
                sum0 = f.fma(
                        ((FloatVector) q0.lanewise(VectorOperators.LSHL, 24)
                                        .lanewise(VectorOperators.ASHR, 24)
                                        .convert(VectorOperators.I2F, 0))
                                .mul(d0),
                        sum0);
                sum1 = f.fma(
                        ((FloatVector) q1.lanewise(VectorOperators.LSHL, 24)
                                        .lanewise(VectorOperators.ASHR, 24)
                                        .convert(VectorOperators.I2F, 0))
                                .mul(d1),
                        sum1);
                f = FloatVector.broadcast(F, x[k + 1]);
                sum0 = f.fma(
                        ((FloatVector) q0.lanewise(VectorOperators.LSHL, 16)
                                        .lanewise(VectorOperators.ASHR, 24)
                                        .convert(VectorOperators.I2F, 0))
                                .mul(d0),
                        sum0);
                sum1 = f.fma(
                        ((FloatVector) q1.lanewise(VectorOperators.LSHL, 16)
                                        .lanewise(VectorOperators.ASHR, 24)
                                        .convert(VectorOperators.I2F, 0))
                                .mul(d1),
                        sum1);
                f = FloatVector.broadcast(F, x[k + 2]);
                sum0 = f.fma(
                        ((FloatVector) q0.lanewise(VectorOperators.LSHL, 8)
                                        .lanewise(VectorOperators.ASHR, 24)
                                        .convert(VectorOperators.I2F, 0))
                                .mul(d0),
                        sum0);
                sum1 = f.fma(
                        ((FloatVector) q1.lanewise(VectorOperators.LSHL, 8)
                                        .lanewise(VectorOperators.ASHR, 24)
                                        .convert(VectorOperators.I2F, 0))
                                .mul(d1),
                        sum1);
                f = FloatVector.broadcast(F, x[k + 3]);
                sum0 = f.fma(
                        ((FloatVector) q0.lanewise(VectorOperators.ASHR, 24).convert(VectorOperators.I2F, 0)).mul(d0),
                        sum0);
                sum1 = f.fma(
                        ((FloatVector) q1.lanewise(VectorOperators.ASHR, 24).convert(VectorOperators.I2F, 0)).mul(d1),
                        sum1);
            }
        }
        sum0.intoArray(out, outFrom);
        sum1.intoArray(out, outFrom + GROUP);
    }

    @Override
    void row(int row, float[] dst, int from) {
        for (int b = 0; b < blocks; b++) {
            int at = ((row / GROUP) * blocks + b) * INTS + row % GROUP;
            float d = Float.intBitsToFloat(data[at + SCALES]);
            for (int i = 0; i < BLOCK; i++) {
                int q = (byte) (data[at + i / 4 * GROUP] >> (8 * (i % 4)));
                dst[from + b * BLOCK + i] = q * d;
            }
        }
    }
}
