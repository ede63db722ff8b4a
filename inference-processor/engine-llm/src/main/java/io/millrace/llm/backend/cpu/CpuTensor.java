package io.millrace.llm.backend.cpu;

import io.millrace.llm.backend.Tensor;

/**
 * Activations in one array.
 *
 * @param data {@code [rows, columns]}
 */
record CpuTensor(int rows, int columns, float[] data) implements Tensor {

    static CpuTensor allocate(int rows, int columns) {
        return new CpuTensor(rows, columns, new float[Sizes.length("tensor", rows, columns)]);
    }
}
