package io.millrace.llm.backend;

/** A weight as its backend keeps it, {@code [rows, columns]}; a vector has one row. */
public interface Weight {

    /** Outputs of a linear layer, at least 1. */
    int rows();

    /** Inputs of a linear layer, at least 1. */
    int columns();
}
