package io.millrace.llm.model;

import io.millrace.llm.backend.AttentionShape;
import io.millrace.llm.backend.KvShape;
import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufFile;
import java.util.List;

/**
 * A model's hyperparameters.
 *
 * @param architecture GGUF's {@code general.architecture}
 * @param layers number of transformer layers
 * @param hidden width of the residual stream
 * @param vocab number of token ids
 * @param contextLength positions the model was trained for
 * @param attention heads and their sizes
 * @param ffn the feed-forward half of each layer
 * @param rmsEpsilon of every norm
 * @param rope rotary position embedding
 * @param kvGroups groups of layers that share block tables; their layers add up to {@code layers}
 */
public record ModelConfig(
        String architecture,
        int layers,
        int hidden,
        int vocab,
        int contextLength,
        AttentionShape attention,
        Ffn ffn,
        float rmsEpsilon,
        Rope rope,
        List<KvGroup> kvGroups) {

    /** Bytes of a key or value in the cache: f16. */
    private static final int KV_BYTES = 2;

    public ModelConfig {
        kvGroups = List.copyOf(kvGroups);
    }

    /**
     * Reads the hyperparameters from a file's metadata.
     *
     * @throws GgufException where one is missing, out of range, or asks for what this engine can't do
     */
    public static ModelConfig read(GgufFile file) throws GgufException {
        return new LlamaMetadata(file).read();
    }

    public int heads() {
        return attention.heads();
    }

    public int kvHeads() {
        return attention.kvHeads();
    }

    public int headDim() {
        return attention.headDim();
    }

    /** Bytes that one position takes in the KV cache, over all layers. */
    public long kvBytesPerToken() {
        return 2L * KV_BYTES * layers * attention.kvWidth();
    }

    /** Shape of a cache of this many blocks. */
    KvShape kvShape(int numBlocks, int blockSize) {
        return new KvShape(layers, numBlocks, blockSize, kvHeads(), headDim());
    }
}
