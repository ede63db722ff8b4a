package io.millrace.llm.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Elementwise kernels. exp is a polynomial of our own: the Vector API's differs between interpreted and compiled code, and its float sums have no fixed
 * order; either would break bitwise equality.
 */
final class VectorMath {

    private static final VectorSpecies<Float> F = FloatVector.SPECIES_256;
    private static final int LANES = 8;

    // exp(x) = 2^n · exp(r): n = round(x / ln 2), r = x - n · ln 2 in two parts; Cephes' polynomial in r
    private static final float LOG2_E = 1.442695f;
    private static final float LN2_HIGH = 0.6933594f;
    private static final float LN2_LOW = -2.1219444E-4f;
    private static final float C2 = 0.5f;
    private static final float C3 = 0.16666666f;
    private static final float C4 = 0.041665796f;
    private static final float C5 = 0.008333452f;
    private static final float C6 = 0.0013981999f;
    private static final float C7 = 1.9875691E-4f;
    private static final float LEAST = -87;
    private static final float MOST = 88;

    /** Adding it leaves the nearest integer in the low bits of a float. */
    private static final float ROUNDER = 0x1.8p23f;

    private static final int EXPONENT_SHIFT = 23;

    private VectorMath() {}

    /** {@code out = x / sqrt(mean(x²) + epsilon) · weight}, all {@code count} long. */
    static void rmsNorm(float[] x, int from, float[] weight, float epsilon, float[] out, int outFrom, int count) {
        int even = count - count % LANES;
        FloatVector squares = FloatVector.zero(F);
        for (int i = 0; i < even; i += LANES) {
            FloatVector v = FloatVector.fromArray(F, x, from + i);
            squares = v.fma(v, squares);
        }
        float sum = sumInOrder(squares);
        for (int i = even; i < count; i++) {
            sum = Math.fma(x[from + i], x[from + i], sum);
        }
        float scale = (float) (1 / Math.sqrt((double) sum / count + epsilon));
        for (int i = 0; i < even; i += LANES) {
            FloatVector.fromArray(F, x, from + i)
                    .mul(scale)
                    .mul(FloatVector.fromArray(F, weight, i))
                    .intoArray(out, outFrom + i);
        }
        for (int i = even; i < count; i++) {
            out[outFrom + i] = x[from + i] * scale * weight[i];
        }
    }

    /**
     * Replaces scores by {@code exp(scale · (score - max))}.
     *
     * @param count a multiple of 8
     * @return their sum
     */
    static float softmaxTerms(float[] scores, int from, int count, float scale) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, scores[from + i]);
        }
        FloatVector sum = FloatVector.zero(F);
        FloatVector max = FloatVector.broadcast(F, largest);
        for (int i = 0; i < count; i += LANES) {
            FloatVector x = FloatVector.fromArray(F, scores, from + i)
                    .sub(max)
                    .mul(scale)
                    .max(LEAST);
            FloatVector t = x.fma(FloatVector.broadcast(F, LOG2_E), FloatVector.broadcast(F, ROUNDER));
            FloatVector n = t.sub(ROUNDER);
            FloatVector r = n.fma(FloatVector.broadcast(F, -LN2_HIGH), x);
            r = n.fma(FloatVector.broadcast(F, -LN2_LOW), r);
            FloatVector p = r.fma(FloatVector.broadcast(F, C7), FloatVector.broadcast(F, C6));
            p = p.fma(r, FloatVector.broadcast(F, C5));
            p = p.fma(r, FloatVector.broadcast(F, C4));
            p = p.fma(r, FloatVector.broadcast(F, C3));
            p = p.fma(r, FloatVector.broadcast(F, C2));
            p = p.fma(r.mul(r), r.add(1f));
            FloatVector e = t.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
                    .add(p.reinterpretAsInts())
                    .reinterpretAsFloats();
            e.intoArray(scores, from + i);
            sum = sum.add(e);
        }
        return sumInOrder(sum);
    }

    /** {@code out = gate / (1 + exp(-gate)) · up}; count a multiple of 8. */
    static void siluMultiply(float[] gate, int gateFrom, float[] up, int upFrom, float[] out, int outFrom, int count) {
        for (int i = 0; i < count; i += LANES) {
            FloatVector g = FloatVector.fromArray(F, gate, gateFrom + i);
            FloatVector x = g.neg().max(LEAST).min(MOST);
            FloatVector t = x.fma(FloatVector.broadcast(F, LOG2_E), FloatVector.broadcast(F, ROUNDER));
            FloatVector n = t.sub(ROUNDER);
            FloatVector r = n.fma(FloatVector.broadcast(F, -LN2_HIGH), x);
            r = n.fma(FloatVector.broadcast(F, -LN2_LOW), r);
            FloatVector p = r.fma(FloatVector.broadcast(F, C7), FloatVector.broadcast(F, C6));
            p = p.fma(r, FloatVector.broadcast(F, C5));
            p = p.fma(r, FloatVector.broadcast(F, C4));
            p = p.fma(r, FloatVector.broadcast(F, C3));
            p = p.fma(r, FloatVector.broadcast(F, C2));
            p = p.fma(r.mul(r), r.add(1f));
            FloatVector e = t.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
                    .add(p.reinterpretAsInts())
                    .reinterpretAsFloats();
            g.div(e.add(1f)).mul(FloatVector.fromArray(F, up, upFrom + i)).intoArray(out, outFrom + i);
        }
    }

    /** {@link #siluMultiply} of any count: the rest goes through a vector of its own. */
    static void siluMultiplyAny(
            float[] gate, int gateFrom, float[] up, int upFrom, float[] out, int outFrom, int count) {
        int even = count - count % LANES;
        siluMultiply(gate, gateFrom, up, upFrom, out, outFrom, even);
        if (even < count) {
            float[] rest = new float[2 * LANES];
            System.arraycopy(gate, gateFrom + even, rest, 0, count - even);
            System.arraycopy(up, upFrom + even, rest, LANES, count - even);
            siluMultiply(rest, 0, rest, LANES, rest, 0, LANES);
            System.arraycopy(rest, 0, out, outFrom + even, count - even);
        }
    }

    /** Lanes summed from the first to the last. */
    private static float sumInOrder(FloatVector v) {
        float sum = 0;
        for (int lane = 0; lane < LANES; lane++) {
            sum += v.lane(lane);
        }
        return sum;
    }
}
