package io.millrace.llm.model;

import io.millrace.llm.backend.AttentionShape;
import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufFile;
import io.millrace.llm.gguf.GgufMetadata;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the metadata of architecture {@code llama}, with llama.cpp's defaults for the keys that may be absent. */
final class LlamaMetadata {

    private static final Logger LOG = LoggerFactory.getLogger(LlamaMetadata.class);
    private static final String ARCHITECTURE = "llama";
    private static final double DEFAULT_ROPE_BASE = 10_000;

    private final GgufMetadata metadata;

    LlamaMetadata(GgufFile file) {
        this.metadata = file.metadata();
    }

    ModelConfig read() throws GgufException {
        String architecture = metadata.string("general.architecture");
        if (!architecture.equals(ARCHITECTURE)) {
            throw metadata.failure("general.architecture", ARCHITECTURE, architecture);
        }
        refuseWhatIsNotDone();
        int layers = positive("block_count");
        AttentionShape attention = attention(positive("embedding_length"));
        return new ModelConfig(
                architecture,
                layers,
                positive("embedding_length"),
                vocab(),
                positive("context_length"),
                attention,
                new Ffn.Dense(positive("feed_forward_length")),
                epsilon(),
                rope(attention.ropeDim()),
                List.of(new KvGroup(layers)));
    }

    private void refuseWhatIsNotDone() throws GgufException {
        OptionalInt experts = metadata.findInt(key("expert_count"));
        if (experts.orElse(0) != 0) {
            throw metadata.failure(key("expert_count"), "0 (a dense model)", "" + experts.getAsInt());
        }
        if (!metadata.findBool(key("attention.causal")).orElse(true)) {
            throw metadata.failure(key("attention.causal"), "true (a generating model)", "false");
        }
        OptionalInt window = metadata.findInt(key("attention.sliding_window"));
        if (window.orElse(0) != 0) {
            LOG.warn(
                    "{}: {}={} is not applied, as in llama.cpp: attention sees all positions",
                    metadata.file(),
                    key("attention.sliding_window"),
                    window.getAsInt());
        }
    }

    private AttentionShape attention(int hidden) throws GgufException {
        int heads = positive("attention.head_count");
        int kvHeads = positive("attention.head_count_kv", heads);
        if (heads % kvHeads != 0) {
            throw metadata.failure(key("attention.head_count_kv"), "a divisor of head_count=" + heads, "" + kvHeads);
        }
        if (!metadata.contains(key("attention.key_length")) && hidden % heads != 0) {
            throw metadata.failure(key("attention.head_count"), "a divisor of embedding_length=" + hidden, "" + heads);
        }
        int headDim = positive("attention.key_length", hidden / heads);
        int valueLength = positive("attention.value_length", headDim);
        if (valueLength != headDim) {
            throw metadata.failure(key("attention.value_length"), "key_length=" + headDim, "" + valueLength);
        }
        int ropeDim = positive("rope.dimension_count", headDim);
        if (ropeDim % 2 != 0 || ropeDim > headDim) {
            throw metadata.failure(key("rope.dimension_count"), "an even number up to " + headDim, "" + ropeDim);
        }
        checkWidth(heads, kvHeads, headDim);
        return new AttentionShape(heads, kvHeads, headDim, ropeDim);
    }

    private void checkWidth(int heads, int kvHeads, int headDim) throws GgufException {
        if ((heads + 2L * kvHeads) * headDim > Integer.MAX_VALUE) {
            throw metadata.failure(key("attention.head_count"), "heads that fit memory", heads + " of " + headDim);
        }
    }

    private int vocab() throws GgufException {
        if (metadata.contains(key("vocab_size"))) {
            return positive("vocab_size");
        }
        return metadata.strings("tokenizer.ggml.tokens").size();
    }

    private float epsilon() throws GgufException {
        float epsilon = metadata.floatValue(key("attention.layer_norm_rms_epsilon"));
        if (!(epsilon > 0 && epsilon < 1)) {
            throw metadata.failure(key("attention.layer_norm_rms_epsilon"), "above 0, below 1", "" + epsilon);
        }
        return epsilon;
    }

    private Rope rope(int dimensions) throws GgufException {
        double base = aboveZero("rope.freq_base", DEFAULT_ROPE_BASE);
        String type = metadata.findString(key("rope.scaling.type")).orElse("linear");
        return switch (type) {
            case "none" -> new Rope(dimensions, base, 1);
            case "linear" -> new Rope(dimensions, base, 1 / linearFactor());
            default -> throw metadata.failure(key("rope.scaling.type"), "none or linear", type);
        };
    }

    /** Old files name the factor {@code rope.scale_linear}; 0 means that there is none. */
    private double linearFactor() throws GgufException {
        String name = metadata.contains(key("rope.scaling.factor")) ? "rope.scaling.factor" : "rope.scale_linear";
        OptionalDouble factor = metadata.findFloat(key(name));
        return factor.orElse(0) == 0 ? 1 : aboveZero(name, 1);
    }

    private double aboveZero(String name, double defaultValue) throws GgufException {
        double value = metadata.findFloat(key(name)).orElse(defaultValue);
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw metadata.failure(key(name), "a number above 0", "" + value);
        }
        return value;
    }

    private int positive(String name) throws GgufException {
        return check(name, metadata.intValue(key(name)));
    }

    private int positive(String name, int defaultValue) throws GgufException {
        return check(name, metadata.findInt(key(name)).orElse(defaultValue));
    }

    private int check(String name, int value) throws GgufException {
        if (value < 1) {
            throw metadata.failure(key(name), "at least 1", "" + value);
        }
        return value;
    }

    private static String key(String name) {
        return ARCHITECTURE + "." + name;
    }
}
