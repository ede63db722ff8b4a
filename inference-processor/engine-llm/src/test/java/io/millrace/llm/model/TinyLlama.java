package io.millrace.llm.model;

import io.millrace.llm.backend.RandomTensors;
import io.millrace.llm.gguf.GgmlType;
import io.millrace.llm.gguf.GgufBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Writes a random llama model of one layer, with anything about it changed: a key, a tensor's shape, a tensor left out. */
final class TinyLlama {

    private final Map<String, Object> metadata = new LinkedHashMap<>();
    private final Map<String, long[]> shapes = new LinkedHashMap<>();
    private final Map<String, GgmlType> types = new LinkedHashMap<>();
    private final Random random = new Random(42);
    private GgmlType type = GgmlType.F32;

    TinyLlama() {
        metadata.put("general.architecture", "llama");
        metadata.put("llama.block_count", 1);
        metadata.put("llama.context_length", 64);
        metadata.put("llama.embedding_length", 32);
        metadata.put("llama.feed_forward_length", 64);
        metadata.put("llama.attention.head_count", 4);
        metadata.put("llama.attention.head_count_kv", 2);
        metadata.put("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        metadata.put("llama.vocab_size", 40);
        shapes.put("token_embd.weight", new long[] {32, 40});
        shapes.put("output_norm.weight", new long[] {32});
        shapes.put("blk.0.attn_norm.weight", new long[] {32});
        shapes.put("blk.0.attn_q.weight", new long[] {32, 32});
        shapes.put("blk.0.attn_k.weight", new long[] {32, 16});
        shapes.put("blk.0.attn_v.weight", new long[] {32, 16});
        shapes.put("blk.0.attn_output.weight", new long[] {32, 32});
        shapes.put("blk.0.ffn_norm.weight", new long[] {32});
        shapes.put("blk.0.ffn_gate.weight", new long[] {32, 64});
        shapes.put("blk.0.ffn_up.weight", new long[] {32, 64});
        shapes.put("blk.0.ffn_down.weight", new long[] {64, 32});
    }

    /** Type of all matrices. */
    TinyLlama type(GgmlType value) {
        type = value;
        return this;
    }

    /** Sets a metadata key to a string, int, float or boolean. */
    TinyLlama with(String key, Object value) {
        metadata.put(key, value);
        return this;
    }

    TinyLlama without(String keyOrTensor) {
        metadata.remove(keyOrTensor);
        shapes.remove(keyOrTensor);
        return this;
    }

    TinyLlama tensor(String name, long... shape) {
        shapes.put(name, shape);
        return this;
    }

    TinyLlama tensor(String name, GgmlType tensorType, long... shape) {
        types.put(name, tensorType);
        return tensor(name, shape);
    }

    Path write(Path directory) throws IOException {
        GgufBuilder builder = new GgufBuilder();
        metadata.forEach((key, value) -> {
            switch (value) {
                case String text -> builder.string(key, text);
                case Integer number -> builder.uint32(key, number);
                case Float number -> builder.float32(key, number);
                case Boolean flag -> builder.bool(key, flag);
                default -> throw new IllegalArgumentException(key + "=" + value);
            }
        });
        shapes.forEach((name, shape) -> {
            GgmlType tensorType = types.getOrDefault(name, shape.length == 1 ? GgmlType.F32 : type);
            builder.tensor(name, tensorType, shape, RandomTensors.bytes(tensorType, shape, 0.3f, random));
        });
        return builder.write(directory.resolve("tiny.gguf"));
    }
}
