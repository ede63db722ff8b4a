package io.millrace.llm.model;

import io.millrace.llm.backend.AttentionShape;
import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.Batch;
import io.millrace.llm.backend.KvCache;
import io.millrace.llm.backend.Ops;
import io.millrace.llm.backend.Tensor;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The forward pass of a llama-like model, over one step's tokens. It owns the activations and the KV cache.
 *
 * <p>T is the step's tokens, S its sampled rows.
 */
final class Forward {

    private static final Logger LOG = LoggerFactory.getLogger(Forward.class);

    private final Weights weights;
    private final AttentionShape shape;
    private final Ops ops;
    private final KvCache cache;
    private final Tensor angles; // [T, ropeDim]
    private final Tensor hidden; // [T, hidden]
    private final Tensor normed; // [T, hidden]
    private final Tensor qkv; // [T, qkvWidth]
    private final Tensor attended; // [T, queryWidth]
    private final Tensor projected; // [T, hidden]
    private final Tensor gateUp; // [T, 2 · intermediate]
    private final Tensor activated; // [T, intermediate]
    private final Tensor logits; // [S, vocab]

    Forward(LoadedModel model, RunnerLimits limits) {
        ModelConfig config = model.config();
        Backend backend = model.backend();
        int intermediate = switch (config.ffn()) {
            case Ffn.Dense dense -> dense.intermediate();
        };
        int rows = limits.maxNumBatchedTokens();
        this.weights = model.weights();
        this.shape = config.attention();
        this.ops = backend.ops();
        this.cache = backend.allocateKv(config.kvShape(limits.numBlocks(), limits.blockSize()));
        this.angles = backend.allocate(rows, shape.ropeDim());
        this.hidden = backend.allocate(rows, config.hidden());
        this.normed = backend.allocate(rows, config.hidden());
        this.qkv = backend.allocate(rows, shape.qkvWidth());
        this.attended = backend.allocate(rows, shape.queryWidth());
        this.projected = backend.allocate(rows, config.hidden());
        this.gateUp = backend.allocate(rows, Math.multiplyExact(2, intermediate));
        this.activated = backend.allocate(rows, intermediate);
        this.logits = backend.allocate(limits.maxNumSeqs(), config.vocab());
        logMemory(config, limits);
    }

    private void logMemory(ModelConfig config, RunnerLimits limits) {
        long values = 0;
        for (Tensor tensor : List.of(angles, hidden, normed, qkv, attended, projected, gateUp, activated, logits)) {
            values += (long) tensor.rows() * tensor.columns();
        }
        long positions = (long) limits.numBlocks() * limits.blockSize();
        LOG.info(
                "activations={} MiB (max_num_batched_tokens={}, max_num_seqs={} rows of {} logits), KV cache={} MiB ({} positions)",
                (values * Float.BYTES) >> 20,
                limits.maxNumBatchedTokens(),
                limits.maxNumSeqs(),
                config.vocab(),
                (positions * config.kvBytesPerToken()) >> 20,
                positions);
    }

    /** Logits of the batch's sampled rows, [S, vocab]; the keys and values of all its tokens are in the cache. */
    Tensor run(Batch batch) {
        ops.ropeAngles(batch, weights.rope(), angles);
        ops.embed(batch, weights.embedding(), hidden);
        for (Weights.Layer layer : weights.layers()) {
            ops.normQkv(batch, hidden, layer.attentionNorm(), layer.q(), layer.k(), layer.v(), normed, qkv);
            ops.ropeAndWriteKv(batch, angles, shape, qkv, cache, layer.slot());
            ops.attention(batch, shape, qkv, cache, layer.slot(), attended);
            ops.projectAndAdd(batch, attended, layer.output(), projected, hidden);
            ops.normGateUp(batch, hidden, layer.ffnNorm(), layer.gate(), layer.up(), normed, gateUp, activated);
            ops.projectAndAdd(batch, activated, layer.down(), projected, hidden);
        }
        if (batch.sampledCount() > 0) {
            ops.normLogits(batch, hidden, weights.outputNorm(), weights.head(), normed, logits);
        }
        return logits;
    }
}
