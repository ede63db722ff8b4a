package io.millrace.llm.backend.reference;

import io.millrace.llm.backend.Tensor;

/** A look into the reference backend's tensors. */
public final class ReferenceTensors {

    private ReferenceTensors() {}

    public static float[] row(Tensor tensor, int row) {
        return ((ReferenceBackend.Rows) tensor).values()[row].clone();
    }

    public static void setRow(Tensor tensor, int row, float[] values) {
        System.arraycopy(values, 0, ((ReferenceBackend.Rows) tensor).values()[row], 0, values.length);
    }
}
