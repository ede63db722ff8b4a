package io.millrace.llm.gguf;

import java.lang.foreign.MemorySegment;

/**
 * One tensor of a file, as it lies there.
 *
 * @param name such as {@code blk.0.attn_q.weight}
 * @param type how elements are packed
 * @param shape ggml's order: {@code shape[0]} elements are contiguous (a matrix is [columns, rows]); 1 to 4 sizes, each ≥ 1
 * @param data its bytes within the file's memory map, read-only, valid until the file is closed
 */
public record GgufTensor(String name, GgmlType type, long[] shape, MemorySegment data) {

    /** Number of elements: the product of the shape. */
    public long elementCount() {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return count;
    }

    /** Elements per row, {@code shape[0]}. */
    public long columns() {
        return shape[0];
    }

    /** Number of rows over all further dimensions; 1 for a vector. */
    public long rows() {
        return elementCount() / shape[0];
    }
}
