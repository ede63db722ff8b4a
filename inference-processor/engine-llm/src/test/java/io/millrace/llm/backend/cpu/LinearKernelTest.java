package io.millrace.llm.backend.cpu;

import static io.millrace.llm.backend.cpu.BothBackends.assertClose;
import static io.millrace.llm.backend.cpu.BothBackends.linear;
import static io.millrace.llm.backend.cpu.BothBackends.random;
import static io.millrace.llm.backend.cpu.BothBackends.tensor;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.Batch;
import io.millrace.llm.backend.RandomTensors;
import io.millrace.llm.backend.RmsNorm;
import io.millrace.llm.backend.Tensor;
import io.millrace.llm.gguf.GgmlType;
import io.millrace.llm.gguf.GgufTensor;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LinearKernelTest {

    private static final int[] ROWS = {2, 15, 16, 17, 33, 130};
    private static final int[] TOKENS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 14, 33};
    private static final int MOST_TOKENS = 33;

    /** f32 sums in order against sums in double, relative to the row's largest output. */
    private static final double TOLERANCE = 2e-5;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q8_0"})
    void shouldMultiplyAsTheReferenceDoes(GgmlType type) {
        try (BothBackends backends = new BothBackends(2)) {
            for (int rows : ROWS) {
                for (int columns : columns(type)) {
                    GgufTensor weight = RandomTensors.matrix(type, rows, columns, 0.5f, random);
                    GgufTensor bias = rows % 2 == 0 ? RandomTensors.vector(rows, 1, random) : null;
                    float[][] in = random(MOST_TOKENS, columns, 1, random);
                    String what = type + " [" + rows + ", " + columns + "] seed=" + seed;
                    float[][] expected = multiply(backends.reference, weight, bias, in, MOST_TOKENS);
                    float[][] actual = multiply(backends.cpu, weight, bias, in, MOST_TOKENS);
                    assertClose(actual, expected, TOLERANCE, Math.sqrt(columns), what);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q8_0"})
    void shouldGiveATokenTheSameBitsAloneAndInAnyBatch(GgmlType type) {
        try (BothBackends backends = new BothBackends(2)) {
            for (int columns : columns(type)) {
                GgufTensor weight = RandomTensors.matrix(type, 50, columns, 0.5f, random);
                float[][] in = random(MOST_TOKENS, columns, 1, random);
                float[][] together = multiply(backends.cpu, weight, null, in, MOST_TOKENS);
                for (int tokens : TOKENS) {
                    float[][] fewer = multiply(backends.cpu, weight, null, in, tokens);
                    for (int t = 0; t < tokens; t++) {
                        assertThat(fewer[t])
                                .as("%s, %d tokens, seed=%d", type, tokens, seed)
                                .containsExactly(together[t]);
                    }
                }
                float[][] alone = multiply(backends.cpu, weight, null, new float[][] {in[20]}, 1);
                assertThat(alone[0]).as("%s alone, seed=%d", type, seed).containsExactly(together[20]);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q8_0"})
    void shouldReadRowsOfATableAsTheReferenceDoes(GgmlType type) {
        int columns = columns(type)[1];
        GgufTensor table = RandomTensors.matrix(type, 37, columns, 1, random);
        try (BothBackends backends = new BothBackends(1)) {
            int[] tokens = {36, 0, 7, 8, 16, 7};
            Batch batch = new Batch(tokens, new int[tokens.length], List.of(), new int[0], List.of());
            float[][][] embedded = new float[2][][];
            for (int b = 0; b < 2; b++) {
                Backend backend = backends.both().get(b);
                Tensor hidden = backend.allocate(tokens.length, columns);
                backend.ops().embed(batch, backend.load(table), hidden);
                embedded[b] = BothBackends.values(hidden);
            }
            assertThat(embedded[0]).as("%s, seed=%d", type, seed).isDeepEqualTo(embedded[1]);
        }
    }

    @Test
    void shouldHoldQ4_0WhoseMinimumsDoNotFitHalfPrecision() {
        GgufTensor weight = RandomTensors.matrix(GgmlType.Q4_0, 16, 32, 60_000f, random);
        float[][] in = random(3, 32, 1, random);
        try (BothBackends backends = new BothBackends(1)) {
            assertClose(
                    multiply(backends.cpu, weight, null, in, 3),
                    multiply(backends.reference, weight, null, in, 3),
                    TOLERANCE,
                    60_000,
                    "seed=" + seed);
        }
    }

    @Test
    void shouldFuseAsThePrimitivesCompose() {
        int hidden = 96;
        int inner = 112;
        GgufTensor norm = RandomTensors.vector(hidden, 1, random);
        GgufTensor gate = RandomTensors.matrix(GgmlType.Q4_1, inner, hidden, 0.3f, random);
        GgufTensor up = RandomTensors.matrix(GgmlType.Q8_0, inner, hidden, 0.3f, random);
        GgufTensor gateBias = RandomTensors.vector(inner, 1, random);
        GgufTensor down = RandomTensors.matrix(GgmlType.F16, hidden, inner, 0.3f, random);
        float[][] in = random(9, hidden, 2, random);
        float[][][] results = new float[2][][];
        try (BothBackends backends = new BothBackends(2)) {
            for (int b = 0; b < 2; b++) {
                Backend backend = backends.both().get(b);
                Tensor sum = tensor(backend, in);
                Tensor activated = backend.allocate(9, inner);
                Batch batch = BothBackends.batch(16, new int[] {0}, new int[] {9});
                backend.ops()
                        .normGateUp(
                                batch,
                                sum,
                                new RmsNorm(backend.load(norm), 1e-5f),
                                linear(backend, gate, gateBias),
                                linear(backend, up, null),
                                backend.allocate(9, hidden),
                                backend.allocate(9, 2 * inner),
                                activated);
                backend.ops()
                        .projectAndAdd(batch, activated, linear(backend, down, null), backend.allocate(9, hidden), sum);
                results[b] = BothBackends.values(sum);
            }
        }
        assertClose(results[0], results[1], TOLERANCE, 1, "seed=" + seed);
    }

    @Test
    void shouldDequantizeEachTileOnceHoweverManyTokensThereAre() {
        GgufTensor weight = RandomTensors.matrix(GgmlType.Q4_1, 200, 64, 1, random);
        try (CpuBackend cpu = new CpuBackend(2)) {
            long[] dequantized = new long[2];
            int[] tokens = {1, 32};
            for (int i = 0; i < 2; i++) {
                long before = cpu.dequantizedTiles();
                multiply(cpu, weight, null, random(tokens[i], 64, 1, random), tokens[i]);
                dequantized[i] = cpu.dequantizedTiles() - before;
            }
            assertThat(dequantized).containsExactly(13, 13);
        }
    }

    private static int[] columns(GgmlType type) {
        return type.blockSize() == 1 ? new int[] {1, 5, 33, 64, 100} : new int[] {32, 96, 576};
    }

    private static float[][] multiply(
            Backend backend, GgufTensor weight, @Nullable GgufTensor bias, float[][] in, int tokens) {
        Tensor out = backend.allocate(tokens, (int) weight.rows() + 3);
        backend.ops().linear(tokens, tensor(backend, in), linear(backend, weight, bias), out, 2);
        return BothBackends.values(out);
    }
}
