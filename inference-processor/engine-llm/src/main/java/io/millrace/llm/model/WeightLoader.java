package io.millrace.llm.model;

import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.KvSlot;
import io.millrace.llm.backend.Linear;
import io.millrace.llm.backend.RmsNorm;
import io.millrace.llm.backend.RopeFrequencies;
import io.millrace.llm.backend.Weight;
import io.millrace.llm.gguf.Dequantizer;
import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.gguf.GgufTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Hands a file's tensors to a backend, each checked against the shape that the hyperparameters ask for. */
final class WeightLoader {

    private final GgufFile file;
    private final ModelConfig config;
    private final Backend backend;

    WeightLoader(GgufFile file, ModelConfig config, Backend backend) {
        this.file = file;
        this.config = config;
        this.backend = backend;
    }

    Weights load() throws GgufException {
        RopeFrequencies rope = rope();
        Weight embedding = matrix("token_embd.weight", config.vocab(), config.hidden());
        List<Weights.Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(layer(layer));
        }
        RmsNorm outputNorm = norm("output_norm.weight");
        Linear head = file.findTensor("output.weight").isPresent()
                ? new Linear(matrix("output.weight", config.vocab(), config.hidden()), null)
                : new Linear(embedding, null);
        return new Weights(embedding, layers, outputNorm, head, rope);
    }

    private Weights.Layer layer(int index) throws GgufException {
        int hidden = config.hidden();
        int queryWidth = config.attention().queryWidth();
        int kvWidth = config.attention().kvWidth();
        int intermediate = switch (config.ffn()) {
            case Ffn.Dense dense -> dense.intermediate();
        };
        String prefix = "blk." + index + ".";
        return new Weights.Layer(
                norm(prefix + "attn_norm.weight"),
                linear(prefix + "attn_q", queryWidth, hidden),
                linear(prefix + "attn_k", kvWidth, hidden),
                linear(prefix + "attn_v", kvWidth, hidden),
                linear(prefix + "attn_output", hidden, queryWidth),
                norm(prefix + "ffn_norm.weight"),
                linear(prefix + "ffn_gate", intermediate, hidden),
                linear(prefix + "ffn_up", intermediate, hidden),
                linear(prefix + "ffn_down", hidden, intermediate),
                new KvSlot(index, 0));
    }

    private RopeFrequencies rope() throws GgufException {
        float[] divisors = new float[config.rope().dimensions() / 2];
        Optional<GgufTensor> factors = file.findTensor("rope_freqs.weight");
        if (factors.isEmpty()) {
            Arrays.fill(divisors, 1);
        } else {
            GgufTensor tensor = checked(factors.get(), divisors.length);
            Dequantizer.dequantize(tensor.type(), tensor.data(), 0, divisors, 0, divisors.length);
        }
        return config.rope().frequencies(divisors);
    }

    private RmsNorm norm(String name) throws GgufException {
        return new RmsNorm(backend.load(checked(file.tensor(name), config.hidden())), config.rmsEpsilon());
    }

    private Linear linear(String name, int rows, int columns) throws GgufException {
        return new Linear(matrix(name + ".weight", rows, columns), bias(name + ".bias", rows));
    }

    private Weight matrix(String name, int rows, int columns) throws GgufException {
        return backend.load(checked(file.tensor(name), columns, rows));
    }

    private @Nullable Weight bias(String name, int length) throws GgufException {
        Optional<GgufTensor> tensor = file.findTensor(name);
        return tensor.isEmpty() ? null : backend.load(checked(tensor.get(), length));
    }

    /** The tensor, if its shape in ggml's order (columns first) is as expected. */
    private GgufTensor checked(GgufTensor tensor, long... expected) throws GgufException {
        if (!Arrays.equals(withoutTrailingOnes(tensor.shape()), withoutTrailingOnes(expected))) {
            throw file.failure(
                    tensor.name(), "shape " + Arrays.toString(expected), "shape " + Arrays.toString(tensor.shape()));
        }
        return tensor;
    }

    private static long[] withoutTrailingOnes(long[] shape) {
        int length = shape.length;
        while (length > 1 && shape[length - 1] == 1) {
            length--;
        }
        return Arrays.copyOf(shape, length);
    }
}
