package io.millrace.llm.backend.cpu;

import io.millrace.llm.backend.AttentionShape;
import io.millrace.llm.backend.Batch;
import io.millrace.llm.backend.KvSlot;

/** Rotation of one token's queries and keys, and the way of its keys and values into the cache. Under 1% of a step: plain loops. */
final class RopeKernel {

    private static final int PANEL = CpuKvCache.PANEL;

    private RopeKernel() {}

    /** Rotates the pairs (2i, 2i + 1) of row {@code t}'s query and key heads in place. */
    static void rotate(CpuTensor angles, AttentionShape shape, CpuTensor qkv, int t) {
        float[] values = qkv.data();
        float[] angle = angles.data();
        int angleFrom = t * angles.columns();
        for (int head = 0; head < shape.heads() + shape.kvHeads(); head++) {
            int from = t * qkv.columns() + head * shape.headDim();
            for (int i = 0; i < shape.ropeDim(); i += 2) {
                float cos = angle[angleFrom + i];
                float sin = angle[angleFrom + i + 1];
                float x = values[from + i];
                float y = values[from + i + 1];
                values[from + i] = x * cos - y * sin;
                values[from + i + 1] = x * sin + y * cos;
            }
        }
    }

    /** Writes keys and values of row {@code t}, which is in {@code span}, to their place, rounded to f16. */
    static void write(Batch.Span span, int t, AttentionShape shape, CpuTensor qkv, CpuKvCache cache, KvSlot slot) {
        int position = span.start() + t - span.row();
        int lane = position % PANEL;
        int[] table = span.blockTables()[slot.group()];
        short[] keys = cache.keys(slot.layer());
        short[] values = cache.values(slot.layer());
        for (int head = 0; head < shape.kvHeads(); head++) {
            int panel = cache.panel(table, head, position);
            int keyTo = panel * cache.keyPanel() + lane;
            int valueTo = panel * cache.valuePanel() + lane * PANEL;
            int from = t * qkv.columns() + shape.queryWidth() + head * shape.headDim();
            for (int d = 0; d < shape.headDim(); d++) {
                keys[keyTo + d * PANEL] = Float.floatToFloat16(qkv.data()[from + d]);
                values[valueTo + d / PANEL * PANEL * PANEL + d % PANEL] =
                        Float.floatToFloat16(qkv.data()[from + shape.kvWidth() + d]);
            }
        }
    }
}
