package io.millrace.llm.backend.reference;

import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.KvCache;
import io.millrace.llm.backend.KvShape;
import io.millrace.llm.backend.Ops;
import io.millrace.llm.backend.Tensor;
import io.millrace.llm.backend.Weight;
import io.millrace.llm.gguf.Dequantizer;
import io.millrace.llm.gguf.GgmlType;
import io.millrace.llm.gguf.GgufTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The scalar backend: plain loops on one thread, sums in double. Slow, and the truth that other backends are tested against. */
public final class ReferenceBackend implements Backend {

    private final Ops ops = new ReferenceOps();

    /** A weight as in the file. */
    record PackedRows(GgmlType type, int rows, int columns, MemorySegment bytes) implements Weight {

        /** Dequantizes one row to {@code dst[0 … columns)}. */
        void row(int row, float[] dst) {
            Dequantizer.dequantize(type, bytes, row * type.bytesOf(columns), dst, 0, columns);
        }

        float[] row(int row) {
            float[] values = new float[columns];
            row(row, values);
            return values;
        }
    }

    /** Activations, row by row. */
    record Rows(int rows, int columns, float[][] values) implements Tensor {}

    /** Keys and values by layer, block, position in the block, [kvHeads · headDim], as f16 bits. */
    record Blocks(KvShape shape, short[][][][] keys, short[][][][] values) implements KvCache {}

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public Ops ops() {
        return ops;
    }

    @Override
    public Weight load(GgufTensor tensor) {
        byte[] bytes = tensor.data().toArray(ValueLayout.JAVA_BYTE);
        return new PackedRows(
                tensor.type(),
                Math.toIntExact(tensor.rows()),
                Math.toIntExact(tensor.columns()),
                MemorySegment.ofArray(bytes));
    }

    @Override
    public Tensor allocate(int rows, int columns) {
        return new Rows(rows, columns, new float[rows][columns]);
    }

    @Override
    public KvCache allocateKv(KvShape shape) {
        int width = shape.kvHeads() * shape.headDim();
        return new Blocks(
                shape,
                new short[shape.layers()][shape.numBlocks()][shape.blockSize()][width],
                new short[shape.layers()][shape.numBlocks()][shape.blockSize()][width]);
    }

    @Override
    public void close() {
        // nothing but heap memory
    }
}
