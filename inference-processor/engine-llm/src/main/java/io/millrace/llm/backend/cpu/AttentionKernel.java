package io.millrace.llm.backend.cpu;

import io.millrace.llm.backend.AttentionShape;
import io.millrace.llm.backend.Batch;
import io.millrace.llm.backend.KvSlot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Causal attention over the paged cache, in parallel over (some queries of a sequence, KV head).
 *
 * <p>Queries of one unit share the widening of keys and values to f32. Each query's own arithmetic is the same whatever it shares a unit with: scores per
 * position, softmax over its own positions in order, values summed in order of position.
 */
final class AttentionKernel {

    private static final int PANEL = CpuKvCache.PANEL;

    /** Rows (tokens times query heads per KV head) that one unit aims at: enough to pay for widening a panel. */
    private static final int ROWS_PER_UNIT = 24;

    private final WorkerPool pool;
    private final Scratch[] scratch;

    AttentionKernel(WorkerPool pool, Scratch[] scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    /** Consecutive tokens of a span. */
    private record Queries(Batch.Span span, int first, int count) {

        /** Positions that the i-th of them sees. */
        int visible(int i) {
            return span.start() + first + i + 1;
        }

        int row(int i) {
            return span.row() + first + i;
        }
    }

    void run(Batch batch, AttentionShape shape, CpuTensor qkv, CpuKvCache cache, KvSlot slot, CpuTensor attended) {
        List<Queries> units = split(batch, Math.max(1, ROWS_PER_UNIT / shape.queriesPerKvHead()));
        int heads = shape.kvHeads();
        pool.run(units.size() * heads, (chunk, thread) -> {
            // the last queries of a prompt see the most positions: longest work first
            Queries queries = units.get(units.size() - 1 - chunk / heads);
            new Unit(queries, chunk % heads, shape, qkv, cache, slot, attended, scratch[thread]).run();
        });
    }

    private static List<Queries> split(Batch batch, int tokens) {
        List<Queries> units = new ArrayList<>();
        for (Batch.Span span : batch.spans()) {
            for (int first = 0; first < span.count(); first += tokens) {
                units.add(new Queries(span, first, Math.min(tokens, span.count() - first)));
            }
        }
        return units;
    }

    /** Attention of some queries to one KV head. Row r is token {@code r / group}, query head {@code r % group} of the KV head's. */
    private static final class Unit {

        private final Queries queries;
        private final int kvHead;
        private final AttentionShape shape;
        private final CpuTensor qkv;
        private final CpuKvCache cache;
        private final KvSlot slot;
        private final CpuTensor attended;
        private final int group;
        private final int dim;
        private final int rows;
        private final int stride; // positions rounded up to whole panels
        private final int sumStride; // headDim rounded up to whole tiles
        private final float[] query; // [rows][headDim]
        private final float[] scores; // [rows][stride]
        private final float[] panel; // one panel of keys or values
        private final float[] sums; // [rows][sumStride]

        Unit(
                Queries queries,
                int kvHead,
                AttentionShape shape,
                CpuTensor qkv,
                CpuKvCache cache,
                KvSlot slot,
                CpuTensor attended,
                Scratch scratch) {
            this.queries = queries;
            this.kvHead = kvHead;
            this.shape = shape;
            this.qkv = qkv;
            this.cache = cache;
            this.slot = slot;
            this.attended = attended;
            this.group = shape.queriesPerKvHead();
            this.dim = shape.headDim();
            this.rows = queries.count() * group;
            this.stride = Math.ceilDiv(queries.visible(queries.count() - 1), PANEL) * PANEL;
            this.sumStride = cache.dimTiles() * PANEL;
            this.query = scratch.queries.atLeast(rows * dim);
            this.scores = scratch.scores.atLeast(Math.multiplyExact(rows, stride));
            this.panel = scratch.panel.atLeast(Math.max(cache.keyPanel(), cache.valuePanel()));
            this.sums = scratch.product.atLeast(rows * sumStride);
        }

        void run() {
            for (int i = 0; i < queries.count(); i++) {
                int from = queries.row(i) * qkv.columns() + kvHead * group * dim;
                System.arraycopy(qkv.data(), from, query, i * group * dim, group * dim);
            }
            score();
            Arrays.fill(sums, 0, rows * sumStride, 0f);
            float[] totals = softmax();
            sumValues();
            for (int r = 0; r < rows; r++) {
                write(r, 1 / totals[r]);
            }
        }

        /** Scores of all rows at all positions, those a token may not see included. */
        private void score() {
            Arrays.fill(scores, 0, rows * stride, 0f);
            short[] keys = cache.keys(slot.layer());
            for (int position = 0; position < stride; position += PANEL) {
                PackedHalves.widenF16(keys, panelAt(position) * cache.keyPanel(), cache.keyPanel(), panel);
                TileKernel.accumulate(query, 0, dim, rows, panel, 0, dim, scores, position, stride);
            }
        }

        /** Turns each row's visible scores into softmax terms; answers their sums. */
        private float[] softmax() {
            float[] totals = new float[rows];
            for (int r = 0; r < rows; r++) {
                int visible = queries.visible(r / group);
                int padded = Math.ceilDiv(visible, PANEL) * PANEL;
                int from = r * stride;
                Arrays.fill(scores, from + visible, from + padded, Float.NEGATIVE_INFINITY);
                totals[r] = VectorMath.softmaxTerms(scores, from, padded, shape.scale());
            }
            return totals;
        }

        private void sumValues() {
            short[] values = cache.values(slot.layer());
            for (int position = 0; position < stride; position += PANEL) {
                PackedHalves.widenF16(values, panelAt(position) * cache.valuePanel(), cache.valuePanel(), panel);
                int first = 0;
                for (; first < queries.count() && queries.visible(first) < position + PANEL; first++) {
                    int count = queries.visible(first) - position;
                    if (count > 0) {
                        sumPanel(first * group, group, position, count);
                    }
                }
                if (first < queries.count()) {
                    sumPanel(first * group, rows - first * group, position, PANEL);
                }
            }
        }

        /** Adds the first {@code count} positions of the widened panel, each weighted by its score. */
        private void sumPanel(int firstRow, int rowCount, int position, int count) {
            int x = firstRow * stride + position;
            for (int tile = 0; tile < cache.dimTiles(); tile++) {
                int out = firstRow * sumStride + tile * PANEL;
                TileKernel.accumulate(
                        scores, x, stride, rowCount, panel, tile * PANEL * PANEL, count, sums, out, sumStride);
            }
        }

        private void write(int r, float factor) {
            int to = queries.row(r / group) * attended.columns() + (kvHead * group + r % group) * dim;
            for (int d = 0; d < dim; d++) {
                attended.data()[to + d] = sums[r * sumStride + d] * factor;
            }
        }

        private int panelAt(int position) {
            return cache.panel(queries.span().blockTables()[slot.group()], kvHead, position);
        }
    }
}
