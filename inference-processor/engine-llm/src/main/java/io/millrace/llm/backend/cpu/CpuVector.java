package io.millrace.llm.backend.cpu;

import io.millrace.llm.backend.Weight;

/**
 * A weight of one row: a norm's weights or a bias.
 *
 * @param values {@code [columns]}
 */
record CpuVector(float[] values) implements Weight {

    @Override
    public int rows() {
        return 1;
    }

    @Override
    public int columns() {
        return values.length;
    }
}
