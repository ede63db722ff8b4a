package io.millrace.llm.backend.reference;

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
import io.millrace.llm.backend.reference.ReferenceBackend.Blocks;
import io.millrace.llm.backend.reference.ReferenceBackend.PackedRows;
import io.millrace.llm.backend.reference.ReferenceBackend.Rows;
import io.millrace.llm.sampler.SampledToken;
import io.millrace.llm.sampler.Sampler;
import java.util.ArrayList;
import java.util.List;

/** The primitive operations as their formulas read. */
final class ReferenceOps implements Ops {

    @Override
    public void ropeAngles(Batch batch, RopeFrequencies frequencies, Tensor angles) {
        double[] perPosition = frequencies.perPosition();
        for (int t = 0; t < batch.tokenCount(); t++) {
            for (int i = 0; i < perPosition.length; i++) {
                double angle = batch.positions()[t] * perPosition[i];
                rows(angles)[t][2 * i] = (float) Math.cos(angle);
                rows(angles)[t][2 * i + 1] = (float) Math.sin(angle);
            }
        }
    }

    @Override
    public void embed(Batch batch, Weight table, Tensor hidden) {
        for (int t = 0; t < batch.tokenCount(); t++) {
            ((PackedRows) table).row(batch.tokens()[t], rows(hidden)[t]);
        }
    }

    @Override
    public void rmsNorm(int rows, Tensor in, RmsNorm norm, Tensor out) {
        float[] weight = ((PackedRows) norm.weight()).row(0);
        for (int t = 0; t < rows; t++) {
            float[] x = rows(in)[t];
            double squares = 0;
            for (int i = 0; i < weight.length; i++) {
                squares += (double) x[i] * x[i];
            }
            double scale = 1 / Math.sqrt(squares / weight.length + norm.epsilon());
            for (int i = 0; i < weight.length; i++) {
                rows(out)[t][i] = (float) (x[i] * scale * weight[i]);
            }
        }
    }

    @Override
    public void linear(int rows, Tensor in, Linear linear, Tensor out, int outColumn) {
        PackedRows weight = (PackedRows) linear.weight();
        float[] bias = linear.bias() == null ? new float[weight.rows()] : ((PackedRows) linear.bias()).row(0);
        float[] w = new float[weight.columns()];
        for (int n = 0; n < weight.rows(); n++) {
            weight.row(n, w);
            for (int t = 0; t < rows; t++) {
                float[] x = rows(in)[t];
                double sum = bias[n];
                for (int k = 0; k < w.length; k++) {
                    sum += (double) w[k] * x[k];
                }
                rows(out)[t][outColumn + n] = (float) sum;
            }
        }
    }

    @Override
    public void rope(int rows, Tensor angles, AttentionShape shape, Tensor qkv) {
        for (int t = 0; t < rows; t++) {
            float[] angle = rows(angles)[t];
            float[] row = rows(qkv)[t];
            for (int head = 0; head < shape.heads() + shape.kvHeads(); head++) {
                for (int i = 0; i < shape.ropeDim(); i += 2) {
                    int at = head * shape.headDim() + i;
                    float x = row[at];
                    float y = row[at + 1];
                    row[at] = x * angle[i] - y * angle[i + 1];
                    row[at + 1] = x * angle[i + 1] + y * angle[i];
                }
            }
        }
    }

    @Override
    public void writeKv(Batch batch, AttentionShape shape, Tensor qkv, KvCache cache, KvSlot slot) {
        Blocks blocks = (Blocks) cache;
        for (Batch.Span span : batch.spans()) {
            for (int i = 0; i < span.count(); i++) {
                float[] row = rows(qkv)[span.row() + i];
                short[] key = at(blocks.keys(), blocks, slot, span, span.start() + i);
                short[] value = at(blocks.values(), blocks, slot, span, span.start() + i);
                for (int d = 0; d < shape.kvWidth(); d++) {
                    key[d] = Float.floatToFloat16(row[shape.queryWidth() + d]);
                    value[d] = Float.floatToFloat16(row[shape.queryWidth() + shape.kvWidth() + d]);
                }
            }
        }
    }

    @Override
    public void attention(Batch batch, AttentionShape shape, Tensor qkv, KvCache cache, KvSlot slot, Tensor attended) {
        for (Batch.Span span : batch.spans()) {
            for (int i = 0; i < span.count(); i++) {
                for (int head = 0; head < shape.heads(); head++) {
                    attend(span, i, head, shape, qkv, (Blocks) cache, slot, attended);
                }
            }
        }
    }

    private static void attend(
            Batch.Span span,
            int index,
            int head,
            AttentionShape shape,
            Tensor qkv,
            Blocks blocks,
            KvSlot slot,
            Tensor attended) {
        int dim = shape.headDim();
        int from = head / shape.queriesPerKvHead() * dim;
        float[] query = rows(qkv)[span.row() + index];
        double[] scores = new double[span.start() + index + 1];
        double largest = Double.NEGATIVE_INFINITY;
        for (int p = 0; p < scores.length; p++) {
            short[] key = at(blocks.keys(), blocks, slot, span, p);
            for (int d = 0; d < dim; d++) {
                scores[p] += (double) query[head * dim + d] * Float.float16ToFloat(key[from + d]);
            }
            scores[p] *= shape.scale();
            largest = Math.max(largest, scores[p]);
        }
        double[] sums = new double[dim];
        double total = 0;
        for (int p = 0; p < scores.length; p++) {
            short[] value = at(blocks.values(), blocks, slot, span, p);
            double weight = Math.exp(scores[p] - largest);
            total += weight;
            for (int d = 0; d < dim; d++) {
                sums[d] += weight * Float.float16ToFloat(value[from + d]);
            }
        }
        for (int d = 0; d < dim; d++) {
            rows(attended)[span.row() + index][head * dim + d] = (float) (sums[d] / total);
        }
    }

    @Override
    public void add(int rows, Tensor addend, Tensor sum) {
        for (int t = 0; t < rows; t++) {
            for (int i = 0; i < sum.columns(); i++) {
                rows(sum)[t][i] += rows(addend)[t][i];
            }
        }
    }

    @Override
    public void siluMultiply(int rows, Tensor gateUp, Tensor out) {
        int width = out.columns();
        for (int t = 0; t < rows; t++) {
            for (int i = 0; i < width; i++) {
                double gate = rows(gateUp)[t][i];
                rows(out)[t][i] = (float) (gate / (1 + Math.exp(-gate)) * rows(gateUp)[t][width + i]);
            }
        }
    }

    @Override
    public void gatherRows(int[] rows, Tensor in, Tensor out) {
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows(in)[rows[i]], 0, rows(out)[i], 0, in.columns());
        }
    }

    @Override
    public List<SampledToken> sample(Batch batch, Tensor logits) {
        Sampler sampler = new Sampler(logits.columns());
        List<SampledToken> sampled = new ArrayList<>(batch.sampledCount());
        for (int s = 0; s < batch.sampledCount(); s++) {
            sampled.add(sampler.sample(rows(logits)[s], 0, batch.requests().get(s)));
        }
        return sampled;
    }

    /** Keys or values of one position, [kvHeads · headDim]. */
    private static short[] at(short[][][][] part, Blocks blocks, KvSlot slot, Batch.Span span, int position) {
        int size = blocks.shape().blockSize();
        return part[slot.layer()][span.blockTables()[slot.group()][position / size]][position % size];
    }

    private static float[][] rows(Tensor tensor) {
        return ((Rows) tensor).values();
    }
}
