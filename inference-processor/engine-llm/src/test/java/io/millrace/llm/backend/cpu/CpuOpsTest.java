package io.millrace.llm.backend.cpu;

import static io.millrace.llm.backend.cpu.BothBackends.assertClose;
import static io.millrace.llm.backend.cpu.BothBackends.random;
import static io.millrace.llm.backend.cpu.BothBackends.tensor;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.llm.backend.AttentionShape;
import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.Batch;
import io.millrace.llm.backend.RandomTensors;
import io.millrace.llm.backend.RmsNorm;
import io.millrace.llm.backend.RopeFrequencies;
import io.millrace.llm.backend.Tensor;
import io.millrace.llm.gguf.GgufTensor;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class CpuOpsTest {

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    @Test
    void shouldNormAsTheReferenceDoesForAnyWidthAndMagnitude() {
        for (int width : new int[] {1, 7, 8, 9, 64, 577}) {
            for (float scale : new float[] {1e-12f, 1, 1e12f}) {
                GgufTensor weight = RandomTensors.vector(width, 1, random);
                float[][] in = random(11, width, scale, random);
                compare(4e-6, "norm of " + width + " · " + scale, backend -> {
                    Tensor out = backend.allocate(11, width);
                    RmsNorm norm = new RmsNorm(backend.load(weight), 1e-5f);
                    backend.ops().rmsNorm(11, tensor(backend, in), norm, out);
                    return out;
                });
            }
        }
    }

    @Test
    void shouldActivateAsTheReferenceDoesFromTinyToHugeGates() {
        for (int width : new int[] {1, 7, 8, 24, 33}) {
            float[][] in = random(3, 2 * width, 1, random);
            float[] extremes = {0, -0f, 1e-30f, -1e-30f, 30, -30, 86, -86, 1e4f, -1e4f, 3e37f};
            for (int i = 0; i < width; i++) {
                in[0][i] = extremes[i % extremes.length];
                in[1][i] *= 20;
                in[0][width + i] = 0.5f;
            }
            compare(2e-6, "silu of " + width, backend -> {
                Tensor out = backend.allocate(3, width);
                backend.ops().siluMultiply(3, tensor(backend, in), out);
                return out;
            });
        }
    }

    @Test
    void shouldComputeExpToAFewUnitsInTheLastPlace() {
        int count = 4096;
        float[] scores = new float[count];
        for (int i = 0; i < count; i++) {
            scores[i] = -80f * i / count;
        }
        float[] terms = scores.clone();
        float sum = VectorMath.softmaxTerms(terms, 0, count, 1);
        double expected = 0;
        for (int i = 0; i < count; i++) {
            double exact = Math.exp(scores[i]);
            expected += exact;
            assertThat(Math.abs(terms[i] - exact) / exact).isLessThan(4e-7);
        }
        assertThat(Math.abs(sum - expected) / expected).isLessThan(1e-6);
    }

    @Test
    void shouldGiveNoWeightToMaskedScores() {
        float[] scores = {1, 2, 3, 4, 5, 6, 7, 8, 9, Float.NEGATIVE_INFINITY, -1e30f, 0, 0, 0, 0, 0};
        VectorMath.softmaxTerms(scores, 0, 16, 50);
        assertThat(scores[8]).isEqualTo(1);
        assertThat(scores[9]).isLessThan(1e-37f);
        assertThat(scores[10]).isLessThan(1e-37f);
    }

    @Test
    void shouldRotateAsTheReferenceDoesAlsoWhereOnlyAPartOfAHeadTurns() {
        AttentionShape shape = new AttentionShape(4, 2, 10, 6);
        RopeFrequencies frequencies = new RopeFrequencies(new double[] {1, 0.05, 1e-4});
        Batch batch = BothBackends.batch(16, new int[] {0, 8000}, new int[] {9, 3});
        float[][] in = random(12, shape.qkvWidth(), 1, random);
        compare(1e-6, "rope", backend -> {
            Tensor angles = backend.allocate(12, 6);
            Tensor qkv = tensor(backend, in);
            backend.ops().ropeAngles(batch, frequencies, angles);
            backend.ops().rope(12, angles, shape, qkv);
            return qkv;
        });
    }

    @Test
    void shouldAddAndGatherAsTheReferenceDoes() {
        float[][] in = random(9, 13, 1, random);
        float[][] addend = random(9, 13, 1, random);
        compare(0, "add and gather", backend -> {
            Tensor sum = tensor(backend, in);
            backend.ops().add(9, tensor(backend, addend), sum);
            Tensor gathered = backend.allocate(3, 13);
            backend.ops().gatherRows(new int[] {1, 7, 8}, sum, gathered);
            return gathered;
        });
    }

    private void compare(double tolerance, String what, Function<Backend, Tensor> compute) {
        try (BothBackends backends = new BothBackends(2)) {
            float[][] expected = BothBackends.values(compute.apply(backends.reference));
            assertClose(
                    BothBackends.values(compute.apply(backends.cpu)),
                    expected,
                    tolerance,
                    1e-30,
                    what + ", seed=" + seed);
        }
    }
}
