package io.millrace.llm.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@code out[t][0 … 16) += Σ_k x[t][k] · tile[k][0 … 16)}: up to 6 rows of x against a tile of 16 columns at a time.
 *
 * <p>Each output has one accumulator and takes k in order, so its value does not depend on how many rows there are. Vector operations are written
 * out in each method: C2 stops inlining after some 35 of them, and then boxes.
 */
final class TileKernel {

    private static final VectorSpecies<Float> F = FloatVector.SPECIES_256;
    private static final int WIDTH = 16;

    private TileKernel() {}

    /**
     * Adds the product of {@code rows} rows to out.
     *
     * @param x {@code rows} rows of {@code count} values, row t at {@code xFrom + t · xStride}
     * @param tile {@code [count][16]} at {@code tileFrom}
     * @param out row t at {@code outFrom + t · outStride}, 16 values
     */
    static void accumulate(
            float[] x,
            int xFrom,
            int xStride,
            int rows,
            float[] tile,
            int tileFrom,
            int count,
            float[] out,
            int outFrom,
            int outStride) {
        int t = 0;
        for (; rows - t >= 6 && rows - t != 8; t += 6) {
            six(x, xFrom + t * xStride, xStride, tile, tileFrom, count, out, outFrom + t * outStride, outStride);
        }
        for (; rows - t >= 4; t += 4) {
            four(x, xFrom + t * xStride, xStride, tile, tileFrom, count, out, outFrom + t * outStride, outStride);
        }
        if (rows - t == 3) {
            three(x, xFrom + t * xStride, xStride, tile, tileFrom, count, out, outFrom + t * outStride, outStride);
            t += 3;
        }
        for (; rows - t >= 2; t += 2) {
            two(x, xFrom + t * xStride, xStride, tile, tileFrom, count, out, outFrom + t * outStride, outStride);
        }
        if (t < rows) {
            one(x, xFrom + t * xStride, tile, tileFrom, count, out, outFrom + t * outStride);
        }
    }

    private static void six(
            float[] x, int x0, int xStride, float[] tile, int tileFrom, int count, float[] out, int o0, int outStride) {
        int x1 = x0 + xStride;
        int x2 = x1 + xStride;
        int x3 = x2 + xStride;
        int x4 = x3 + xStride;
        int x5 = x4 + xStride;
        int o1 = o0 + outStride;
        int o2 = o1 + outStride;
        int o3 = o2 + outStride;
        int o4 = o3 + outStride;
        int o5 = o4 + outStride;
        FloatVector a0 = FloatVector.fromArray(F, out, o0);
        FloatVector a1 = FloatVector.fromArray(F, out, o0 + 8);
        FloatVector b0 = FloatVector.fromArray(F, out, o1);
        FloatVector b1 = FloatVector.fromArray(F, out, o1 + 8);
        FloatVector c0 = FloatVector.fromArray(F, out, o2);
        FloatVector c1 = FloatVector.fromArray(F, out, o2 + 8);
        FloatVector d0 = FloatVector.fromArray(F, out, o3);
        FloatVector d1 = FloatVector.fromArray(F, out, o3 + 8);
        FloatVector e0 = FloatVector.fromArray(F, out, o4);
        FloatVector e1 = FloatVector.fromArray(F, out, o4 + 8);
        FloatVector f0 = FloatVector.fromArray(F, out, o5);
        FloatVector f1 = FloatVector.fromArray(F, out, o5 + 8);
        for (int k = 0; k < count; k++) {
            FloatVector w0 = FloatVector.fromArray(F, tile, tileFrom + k * WIDTH);
            FloatVector w1 = FloatVector.fromArray(F, tile, tileFrom + k * WIDTH + 8);
            FloatVector v = FloatVector.broadcast(F, x[x0 + k]);
            a0 = v.fma(w0, a0);
            a1 = v.fma(w1, a1);
            v = FloatVector.broadcast(F, x[x1 + k]);
            b0 = v.fma(w0, b0);
            b1 = v.fma(w1, b1);
            v = FloatVector.broadcast(F, x[x2 + k]);
            c0 = v.fma(w0, c0);
            c1 = v.fma(w1, c1);
            v = FloatVector.broadcast(F, x[x3 + k]);
            d0 = v.fma(w0, d0);
            d1 = v.fma(w1, d1);
            v = FloatVector.broadcast(F, x[x4 + k]);
            e0 = v.fma(w0, e0);
            e1 = v.fma(w1, e1);
            v = FloatVector.broadcast(F, x[x5 + k]);
            f0 = v.fma(w0, f0);
            f1 = v.fma(w1, f1);
        }
        a0.intoArray(out, o0);
        a1.intoArray(out, o0 + 8);
        b0.intoArray(out, o1);
        b1.intoArray(out, o1 + 8);
        c0.intoArray(out, o2);
        c1.intoArray(out, o2 + 8);
        d0.intoArray(out, o3);
        d1.intoArray(out, o3 + 8);
        e0.intoArray(out, o4);
        e1.intoArray(out, o4 + 8);
        f0.intoArray(out, o5);
        f1.intoArray(out, o5 + 8);
    }

    private static void four(
            float[] x, int x0, int xStride, float[] tile, int tileFrom, int count, float[] out, int o0, int outStride) {
        int x1 = x0 + xStride;
        int x2 = x1 + xStride;
        int x3 = x2 + xStride;
        int o1 = o0 + outStride;
        int o2 = o1 + outStride;
        int o3 = o2 + outStride;
        FloatVector a0 = FloatVector.fromArray(F, out, o0);
        FloatVector a1 = FloatVector.fromArray(F, out, o0 + 8);
        FloatVector b0 = FloatVector.fromArray(F, out, o1);
        FloatVector b1 = FloatVector.fromArray(F, out, o1 + 8);
        FloatVector c0 = FloatVector.fromArray(F, out, o2);
        FloatVector c1 = FloatVector.fromArray(F, out, o2 + 8);
        FloatVector d0 = FloatVector.fromArray(F, out, o3);
        FloatVector d1 = FloatVector.fromArray(F, out, o3 + 8);
        for (int k = 0; k < count; k++) {
            FloatVector w0 = FloatVector.fromArray(F, tile, tileFrom + k * WIDTH);
            FloatVector w1 = FloatVector.fromArray(F, tile, tileFrom + k * WIDTH + 8);
            FloatVector v = FloatVector.broadcast(F, x[x0 + k]);
            a0 = v.fma(w0, a0);
            a1 = v.fma(w1, a1);
            v = FloatVector.broadcast(F, x[x1 + k]);
            b0 = v.fma(w0, b0);
            b1 = v.fma(w1, b1);
            v = FloatVector.broadcast(F, x[x2 + k]);
            c0 = v.fma(w0, c0);
            c1 = v.fma(w1, c1);
            v = FloatVector.broadcast(F, x[x3 + k]);
            d0 = v.fma(w0, d0);
            d1 = v.fma(w1, d1);
        }
        a0.intoArray(out, o0);
        a1.intoArray(out, o0 + 8);
        b0.intoArray(out, o1);
        b1.intoArray(out, o1 + 8);
        c0.intoArray(out, o2);
        c1.intoArray(out, o2 + 8);
        d0.intoArray(out, o3);
        d1.intoArray(out, o3 + 8);
    }

    private static void three(
            float[] x, int x0, int xStride, float[] tile, int tileFrom, int count, float[] out, int o0, int outStride) {
        int x1 = x0 + xStride;
        int x2 = x1 + xStride;
        int o1 = o0 + outStride;
        int o2 = o1 + outStride;
        FloatVector a0 = FloatVector.fromArray(F, out, o0);
        FloatVector a1 = FloatVector.fromArray(F, out, o0 + 8);
        FloatVector b0 = FloatVector.fromArray(F, out, o1);
        FloatVector b1 = FloatVector.fromArray(F, out, o1 + 8);
        FloatVector c0 = FloatVector.fromArray(F, out, o2);
        FloatVector c1 = FloatVector.fromArray(F, out, o2 + 8);
        for (int k = 0; k < count; k++) {
            FloatVector w0 = FloatVector.fromArray(F, tile, tileFrom + k * WIDTH);
            FloatVector w1 = FloatVector.fromArray(F, tile, tileFrom + k * WIDTH + 8);
            FloatVector v = FloatVector.broadcast(F, x[x0 + k]);
            a0 = v.fma(w0, a0);
            a1 = v.fma(w1, a1);
            v = FloatVector.broadcast(F, x[x1 + k]);
            b0 = v.fma(w0, b0);
            b1 = v.fma(w1, b1);
            v = FloatVector.broadcast(F, x[x2 + k]);
            c0 = v.fma(w0, c0);
            c1 = v.fma(w1, c1);
        }
        a0.intoArray(out, o0);
        a1.intoArray(out, o0 + 8);
        b0.intoArray(out, o1);
        b1.intoArray(out, o1 + 8);
        c0.intoArray(out, o2);
        c1.intoArray(out, o2 + 8);
    }

    private static void two(
            float[] x, int x0, int xStride, float[] tile, int tileFrom, int count, float[] out, int o0, int outStride) {
        int x1 = x0 + xStride;
        int o1 = o0 + outStride;
        FloatVector a0 = FloatVector.fromArray(F, out, o0);
        FloatVector a1 = FloatVector.fromArray(F, out, o0 + 8);
        FloatVector b0 = FloatVector.fromArray(F, out, o1);
        FloatVector b1 = FloatVector.fromArray(F, out, o1 + 8);
        for (int k = 0; k < count; k++) {
            FloatVector w0 = FloatVector.fromArray(F, tile, tileFrom + k * WIDTH);
            FloatVector w1 = FloatVector.fromArray(F, tile, tileFrom + k * WIDTH + 8);
            FloatVector v = FloatVector.broadcast(F, x[x0 + k]);
            a0 = v.fma(w0, a0);
            a1 = v.fma(w1, a1);
            v = FloatVector.broadcast(F, x[x1 + k]);
            b0 = v.fma(w0, b0);
            b1 = v.fma(w1, b1);
        }
        a0.intoArray(out, o0);
        a1.intoArray(out, o0 + 8);
        b0.intoArray(out, o1);
        b1.intoArray(out, o1 + 8);
    }

    private static void one(float[] x, int x0, float[] tile, int tileFrom, int count, float[] out, int o0) {
        FloatVector a0 = FloatVector.fromArray(F, out, o0);
        FloatVector a1 = FloatVector.fromArray(F, out, o0 + 8);
        for (int k = 0; k < count; k++) {
            FloatVector w0 = FloatVector.fromArray(F, tile, tileFrom + k * WIDTH);
            FloatVector w1 = FloatVector.fromArray(F, tile, tileFrom + k * WIDTH + 8);
            FloatVector v = FloatVector.broadcast(F, x[x0 + k]);
            a0 = v.fma(w0, a0);
            a1 = v.fma(w1, a1);
        }
        a0.intoArray(out, o0);
        a1.intoArray(out, o0 + 8);
    }
}
