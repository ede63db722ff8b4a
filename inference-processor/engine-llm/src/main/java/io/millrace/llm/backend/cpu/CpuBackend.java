package io.millrace.llm.backend.cpu;

import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.KvCache;
import io.millrace.llm.backend.KvShape;
import io.millrace.llm.backend.Ops;
import io.millrace.llm.backend.Tensor;
import io.millrace.llm.backend.Weight;
import io.millrace.llm.gguf.Dequantizer;
import io.millrace.llm.gguf.GgmlType;
import io.millrace.llm.gguf.GgufTensor;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * The Vector API backend. Weights stay quantized in memory; a dequantized tile serves all tokens of a step; all cores work.
 *
 * <p>Results are bitwise the same for any batch and any number of threads: every value is computed by one thread in one order that depends on nothing
 * else. Kernels are written for vectors of 256 bits. Where the hardware has only 128 they give the same values, slowly: {@code auto} takes the reference
 * backend there.
 */
public final class CpuBackend implements Backend {

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Bits of the vectors that the kernels are written for. */
    public static final int VECTOR_BITS = 256;

    private static final float LARGEST_HALF = 65504;

    private final WorkerPool pool;
    private final CpuOps ops;

    /** @param threads threads that compute, the caller of the operations included, at least 1 */
    public CpuBackend(int threads) {
        this.pool = new WorkerPool(threads);
        this.ops = new CpuOps(pool);
    }

    /** Bits of the vectors that the hardware is best at. */
    public static int preferredVectorBits() {
        return FloatVector.SPECIES_PREFERRED.vectorBitSize();
    }

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public Ops ops() {
        return ops;
    }

    /** Weight tiles dequantized so far: the same number for a step of one token and of many. */
    public long dequantizedTiles() {
        return ops.dequantizedTiles();
    }

    @Override
    public Weight load(GgufTensor tensor) {
        if (tensor.rows() == 1) {
            float[] values = new float[Math.toIntExact(tensor.columns())];
            Dequantizer.dequantize(tensor.type(), tensor.data(), 0, values, 0, values.length);
            return new CpuVector(values);
        }
        return switch (tensor.type()) {
            case Q4_1 -> PackedQ4.pack(tensor, pool);
            case Q4_0 -> minimumsFitHalf(tensor) ? PackedQ4.pack(tensor, pool) : PackedFloats.pack(tensor, pool);
            case Q8_0 -> PackedQ8.pack(tensor, pool);
            case F16, BF16 -> PackedHalves.pack(tensor, pool);
            default -> PackedFloats.pack(tensor, pool);
        };
    }

    /** Whether {@code -8 d} is an f16 for all blocks' scales d: so for all but absurd weights. */
    private static boolean minimumsFitHalf(GgufTensor tensor) {
        for (long from = 0; from < tensor.data().byteSize(); from += GgmlType.Q4_0.bytesPerBlock()) {
            float scale = Float.float16ToFloat(tensor.data().get(SHORT, from));
            if (!(Math.abs(8 * scale) <= LARGEST_HALF)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public Tensor allocate(int rows, int columns) {
        return CpuTensor.allocate(rows, columns);
    }

    @Override
    public KvCache allocateKv(KvShape shape) {
        return new CpuKvCache(shape);
    }

    @Override
    public void close() {
        pool.close();
    }
}
