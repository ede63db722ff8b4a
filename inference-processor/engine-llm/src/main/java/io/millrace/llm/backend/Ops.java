package io.millrace.llm.backend;

import io.millrace.llm.sampler.SampledToken;
import java.util.List;

/**
 * A backend's arithmetic. The forward pass calls the fused blocks of the first half; each is composed of the primitive operations of the
 * second half unless a backend does it in one go.
 *
 * <p>Shapes: T is the step's tokens, S its sampled rows; tensors have at least as many rows. No two tensor parameters of a call are the same
 * tensor unless it says so. Threads: one engine thread calls.
 */
public interface Ops {

    /** {@code qkv = [q | k | v](norm(hidden))}: hidden [T, hidden], normed [T, hidden] (scratch), qkv [T, qkvWidth]. */
    default void normQkv(
            Batch batch, Tensor hidden, RmsNorm norm, Linear q, Linear k, Linear v, Tensor normed, Tensor qkv) {
        int rows = batch.tokenCount();
        rmsNorm(rows, hidden, norm, normed);
        linear(rows, normed, q, qkv, 0);
        linear(rows, normed, k, qkv, q.weight().rows());
        linear(rows, normed, v, qkv, q.weight().rows() + k.weight().rows());
    }

    /** Rotates queries and keys of qkv [T, qkvWidth] in place, then writes keys and values to the layer's blocks. */
    default void ropeAndWriteKv(
            Batch batch, Tensor angles, AttentionShape shape, Tensor qkv, KvCache cache, KvSlot slot) {
        rope(batch.tokenCount(), angles, shape, qkv);
        writeKv(batch, shape, qkv, cache, slot);
    }

    /** {@code hidden += linear(in)}: in [T, inputs], projected [T, hidden] (scratch), hidden [T, hidden]. */
    default void projectAndAdd(Batch batch, Tensor in, Linear linear, Tensor projected, Tensor hidden) {
        linear(batch.tokenCount(), in, linear, projected, 0);
        add(batch.tokenCount(), projected, hidden);
    }

    /**
     * {@code activated = silu(gate(norm(hidden))) · up(norm(hidden))}: hidden [T, hidden], normed [T, hidden] (scratch), gateUp [T, 2 ·
     * intermediate] (scratch), activated [T, intermediate].
     */
    default void normGateUp(
            Batch batch,
            Tensor hidden,
            RmsNorm norm,
            Linear gate,
            Linear up,
            Tensor normed,
            Tensor gateUp,
            Tensor activated) {
        int rows = batch.tokenCount();
        rmsNorm(rows, hidden, norm, normed);
        linear(rows, normed, gate, gateUp, 0);
        linear(rows, normed, up, gateUp, gate.weight().rows());
        siluMultiply(rows, gateUp, activated);
    }

    /** {@code logits = head(norm(hidden))} of the sampled rows only: hidden [T, hidden], normed (scratch), logits [S, vocab]. */
    default void normLogits(Batch batch, Tensor hidden, RmsNorm norm, Linear head, Tensor normed, Tensor logits) {
        gatherRows(batch.sampledRows(), hidden, normed);
        rmsNorm(batch.sampledCount(), normed, norm, normed);
        linear(batch.sampledCount(), normed, head, logits, 0);
    }

    /** Cosine and sine of every rotation of the step, once for all layers: angles [T, ropeDim], pairs (cos, sin). */
    void ropeAngles(Batch batch, RopeFrequencies frequencies, Tensor angles);

    /** Rows of the table [vocab, hidden] by token id: hidden [T, hidden]. */
    void embed(Batch batch, Weight table, Tensor hidden);

    /** Norm of each of the first {@code rows} rows; in and out may be the same tensor. */
    void rmsNorm(int rows, Tensor in, RmsNorm norm, Tensor out);

    /** {@code out[:, outColumn …] = linear(in)} for the first {@code rows} rows. */
    void linear(int rows, Tensor in, Linear linear, Tensor out, int outColumn);

    /** Rotates queries and keys in place: angles [rows, ropeDim], qkv [rows, qkvWidth]. */
    void rope(int rows, Tensor angles, AttentionShape shape, Tensor qkv);

    /** Writes keys and values of qkv [T, qkvWidth] to their positions, rounded to f16. */
    void writeKv(Batch batch, AttentionShape shape, Tensor qkv, KvCache cache, KvSlot slot);

    /** Causal attention over positions 0 to the token's own: queries of qkv [T, qkvWidth], attended [T, queryWidth]. */
    void attention(Batch batch, AttentionShape shape, Tensor qkv, KvCache cache, KvSlot slot, Tensor attended);

    /** {@code sum += addend}, [rows, width]. */
    void add(int rows, Tensor addend, Tensor sum);

    /** {@code out = silu(gate) · up}: gateUp [rows, 2 · width], the gate first; out [rows, width]. */
    void siluMultiply(int rows, Tensor gateUp, Tensor out);

    /** Copies the given rows of in to rows 0, 1, … of out. */
    void gatherRows(int[] rows, Tensor in, Tensor out);

    /**
     * Draws a token from each row of logits [S, vocab], in order. Logits may be changed.
     *
     * @throws IllegalStateException where a row can't be drawn from: not a number, or no token allowed
     */
    List<SampledToken> sample(Batch batch, Tensor logits);
}
