package io.millrace.llm.backend.cpu;

import io.millrace.llm.backend.AttentionShape;
import io.millrace.llm.backend.Batch;
import io.millrace.llm.backend.KvCache;
import io.millrace.llm.backend.KvSlot;
import io.millrace.llm.backend.Linear;
import io.millrace.llm.backend.Ops;
import io.millrace.llm.backend.RmsNorm;
import io.millrace.llm.backend.RopeFrequencies;
import io.millrace.llm.backend.Tensor;
import io.millrace.llm.backend.Weight;
import io.millrace.llm.sampler.SampledToken;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/** The operations as parallel regions over tokens, weight tiles or KV heads. */
final class CpuOps implements Ops {

    /** Fewer tokens than this are not worth a parallel region of small work. */
    private static final int MIN_PARALLEL_TOKENS = 8;

    private static final int CHUNKS_PER_THREAD = 4;

    private final WorkerPool pool;
    private final Scratch[] scratch;
    private final LinearKernel linears;
    private final AttentionKernel attention;

    CpuOps(WorkerPool pool) {
        this.pool = pool;
        this.scratch = new Scratch[pool.threads()];
        Arrays.setAll(scratch, i -> new Scratch());
        this.linears = new LinearKernel(pool, scratch);
        this.attention = new AttentionKernel(pool, scratch);
    }

    long dequantizedTiles() {
        return linears.dequantizedTiles();
    }

    @Override
    public void normQkv(
            Batch batch, Tensor hidden, RmsNorm norm, Linear q, Linear k, Linear v, Tensor normed, Tensor qkv) {
        rmsNorm(batch.tokenCount(), hidden, norm, normed);
        int keys = q.weight().rows();
        int[] columns = {0, keys, keys + k.weight().rows()};
        linears.store(batch.tokenCount(), cpu(normed), List.of(q, k, v), columns, cpu(qkv));
    }

    @Override
    public void projectAndAdd(Batch batch, Tensor in, Linear linear, Tensor projected, Tensor hidden) {
        linears.add(batch.tokenCount(), cpu(in), linear, cpu(hidden));
    }

    @Override
    public void normGateUp(
            Batch batch,
            Tensor hidden,
            RmsNorm norm,
            Linear gate,
            Linear up,
            Tensor normed,
            Tensor gateUp,
            Tensor activated) {
        rmsNorm(batch.tokenCount(), hidden, norm, normed);
        linears.gateUp(batch.tokenCount(), cpu(normed), gate, up, cpu(activated));
    }

    @Override
    public void ropeAndWriteKv(
            Batch batch, Tensor angles, AttentionShape shape, Tensor qkv, KvCache cache, KvSlot slot) {
        overTokens(batch.tokenCount(), t -> {
            RopeKernel.rotate(cpu(angles), shape, cpu(qkv), t);
            RopeKernel.write(batch.spanOf(t), t, shape, cpu(qkv), (CpuKvCache) cache, slot);
        });
    }

    @Override
    public void ropeAngles(Batch batch, RopeFrequencies frequencies, Tensor angles) {
        float[] data = cpu(angles).data();
        double[] perPosition = frequencies.perPosition();
        overTokens(batch.tokenCount(), t -> {
            for (int i = 0; i < perPosition.length; i++) {
                double angle = batch.positions()[t] * perPosition[i];
                data[t * angles.columns() + 2 * i] = (float) Math.cos(angle);
                data[t * angles.columns() + 2 * i + 1] = (float) Math.sin(angle);
            }
        });
    }

    @Override
    public void embed(Batch batch, Weight table, Tensor hidden) {
        PackedMatrix rows = LinearKernel.matrix(table);
        overTokens(
                batch.tokenCount(), t -> rows.row(batch.tokens()[t], cpu(hidden).data(), t * hidden.columns()));
    }

    @Override
    public void rmsNorm(int rows, Tensor in, RmsNorm norm, Tensor out) {
        float[] weight = ((CpuVector) norm.weight()).values();
        overTokens(
                rows,
                t -> VectorMath.rmsNorm(
                        cpu(in).data(),
                        t * in.columns(),
                        weight,
                        norm.epsilon(),
                        cpu(out).data(),
                        t * out.columns(),
                        weight.length));
    }

    @Override
    public void linear(int rows, Tensor in, Linear linear, Tensor out, int outColumn) {
        linears.store(rows, cpu(in), List.of(linear), new int[] {outColumn}, cpu(out));
    }

    @Override
    public void rope(int rows, Tensor angles, AttentionShape shape, Tensor qkv) {
        overTokens(rows, t -> RopeKernel.rotate(cpu(angles), shape, cpu(qkv), t));
    }

    @Override
    public void writeKv(Batch batch, AttentionShape shape, Tensor qkv, KvCache cache, KvSlot slot) {
        overTokens(
                batch.tokenCount(),
                t -> RopeKernel.write(batch.spanOf(t), t, shape, cpu(qkv), (CpuKvCache) cache, slot));
    }

    @Override
    public void attention(Batch batch, AttentionShape shape, Tensor qkv, KvCache cache, KvSlot slot, Tensor attended) {
        attention.run(batch, shape, cpu(qkv), (CpuKvCache) cache, slot, cpu(attended));
    }

    @Override
    public void add(int rows, Tensor addend, Tensor sum) {
        int columns = sum.columns();
        overTokens(rows, t -> {
            for (int i = t * columns; i < (t + 1) * columns; i++) {
                cpu(sum).data()[i] += cpu(addend).data()[i];
            }
        });
    }

    @Override
    public void siluMultiply(int rows, Tensor gateUp, Tensor out) {
        int width = out.columns();
        overTokens(rows, t -> {
            int gate = t * gateUp.columns();
            VectorMath.siluMultiplyAny(
                    cpu(gateUp).data(), gate, cpu(gateUp).data(), gate + width, cpu(out).data(), t * width, width);
        });
    }

    @Override
    public void gatherRows(int[] rows, Tensor in, Tensor out) {
        int columns = in.columns();
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(cpu(in).data(), rows[i] * columns, cpu(out).data(), i * columns, columns);
        }
    }

    @Override
    public List<SampledToken> sample(Batch batch, Tensor logits) {
        SampledToken[] sampled = new SampledToken[batch.sampledCount()];
        int vocab = logits.columns();
        pool.run(sampled.length, (s, thread) -> {
            sampled[s] = scratch[thread]
                    .sampler(vocab)
                    .sample(cpu(logits).data(), s * vocab, batch.requests().get(s));
        });
        return List.of(sampled);
    }

    private void overTokens(int count, IntConsumer body) {
        int chunks = count < MIN_PARALLEL_TOKENS ? 1 : Math.min(count, pool.threads() * CHUNKS_PER_THREAD);
        pool.run(chunks, (chunk, thread) -> {
            for (int t = count * chunk / chunks; t < count * (chunk + 1) / chunks; t++) {
                body.accept(t);
            }
        });
    }

    private static CpuTensor cpu(Tensor tensor) {
        return (CpuTensor) tensor;
    }
}
