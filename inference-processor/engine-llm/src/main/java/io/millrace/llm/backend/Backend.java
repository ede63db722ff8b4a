package io.millrace.llm.backend;

import io.millrace.llm.gguf.GgufTensor;

/**
 * A device: what lives on it, and its operations. Handles of one backend are never given to another.
 *
 * <p>Threads: one at a time.
 */
public interface Backend extends AutoCloseable {

    /** As configuration names it: {@code cpu}, {@code reference}. */
    String name();

    Ops ops();

    /**
     * Copies a weight to the device, repacked as it pleases; the tensor's bytes are not read afterwards.
     *
     * @throws IllegalArgumentException where it is larger than the backend can hold
     */
    Weight load(GgufTensor tensor);

    /**
     * Activations, all 0.
     *
     * @throws IllegalArgumentException where it is larger than the backend can hold
     */
    Tensor allocate(int rows, int columns);

    /**
     * A KV cache.
     *
     * @throws IllegalArgumentException where the backend can't have one of this shape
     */
    KvCache allocateKv(KvShape shape);

    /** Ends its threads and frees its memory. */
    @Override
    void close();
}
