package io.millrace.llm.backend.cpu;

import io.millrace.llm.sampler.Sampler;
import org.jspecify.annotations.Nullable;

/** One thread's buffers. */
final class Scratch {

    /** A dequantized weight tile, {@code [columns][16]}. */
    final Buffer tile = new Buffer();

    /** Outputs of a tile for all tokens, {@code [rows][16]}; attention's sums. */
    final Buffer product = new Buffer();

    /** Outputs of a second tile, {@code [rows][16]}. */
    final Buffer secondProduct = new Buffer();

    /** Queries of one KV head side by side, {@code [rows][headDim]}. */
    final Buffer queries = new Buffer();

    /** Attention scores, {@code [rows][positions]}. */
    final Buffer scores = new Buffer();

    /** A panel of keys or values, widened to f32. */
    final Buffer panel = new Buffer();

    private @Nullable Sampler sampler;
    private int samplerVocab;

    /** A buffer that grows to the largest length asked for, which the shapes of weights and activations bound. */
    static final class Buffer {

        private float[] values = {};

        /** At least {@code length} values, undefined. */
        float[] atLeast(int length) {
            if (values.length < length) {
                values = new float[length];
            }
            return values;
        }
    }

    Sampler sampler(int vocab) {
        Sampler present = sampler;
        if (present == null || samplerVocab != vocab) {
            present = new Sampler(vocab);
            sampler = present;
            samplerVocab = vocab;
        }
        return present;
    }
}
