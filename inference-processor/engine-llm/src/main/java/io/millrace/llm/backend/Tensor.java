package io.millrace.llm.backend;

/** Activations on a backend, f32, {@code [rows, columns]}. A step uses as many of the rows as it has tokens. */
public interface Tensor {

    /** Most tokens it holds. */
    int rows();

    /** Values per token. */
    int columns();
}
