package io.millrace.llm.model;

/** The feed-forward half of a layer. */
public sealed interface Ffn {

    /**
     * {@code down(silu(gate(x)) · up(x))}.
     *
     * @param intermediate width of gate and up
     */
    record Dense(int intermediate) implements Ffn {}
}
