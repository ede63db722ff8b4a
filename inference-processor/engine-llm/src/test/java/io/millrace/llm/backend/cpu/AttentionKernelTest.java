package io.millrace.llm.backend.cpu;

import static io.millrace.llm.backend.cpu.BothBackends.assertClose;
import static io.millrace.llm.backend.cpu.BothBackends.random;
import static io.millrace.llm.backend.cpu.BothBackends.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.llm.backend.AttentionShape;
import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.Batch;
import io.millrace.llm.backend.KvCache;
import io.millrace.llm.backend.KvShape;
import io.millrace.llm.backend.KvSlot;
import io.millrace.llm.backend.Tensor;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionKernelTest {

    private static final KvSlot SLOT = new KvSlot(1, 0);
    private static final int BLOCKS = 24;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    @ParameterizedTest
    @CsvSource({"1, 1, 2, 16", "9, 3, 64, 16", "8, 1, 32, 32", "4, 4, 20, 16", "14, 2, 40, 48", "2, 1, 128, 16"})
    void shouldAttendAsTheReferenceDoes(int heads, int kvHeads, int headDim, int blockSize) {
        AttentionShape shape = new AttentionShape(heads, kvHeads, headDim, headDim);
        for (float scale : new float[] {0.01f, 1, 8}) {
            int[] counts = {1, 15, 16, 17, 40};
            Batch prefill = BothBackends.batch(blockSize, new int[counts.length], counts);
            int[] starts = {1, 15, 16, 17, 40};
            Batch next = BothBackends.batch(blockSize, starts, new int[] {1, 1, 3, 1, 9});
            float[][] first = random(prefill.tokenCount(), shape.qkvWidth(), scale, random);
            float[][] second = random(next.tokenCount(), shape.qkvWidth(), scale, random);
            try (BothBackends backends = new BothBackends(2)) {
                float[][][] cpu = attend(backends.cpu, shape, blockSize, new Batch[] {prefill, next}, first, second);
                float[][][] expected =
                        attend(backends.reference, shape, blockSize, new Batch[] {prefill, next}, first, second);
                for (int step = 0; step < 2; step++) {
                    // scores, and with them their errors, grow with the square of the scale
                    assertClose(
                            cpu[step],
                            expected[step],
                            1.5e-5 * Math.max(1, scale * scale / 8),
                            scale,
                            shape + " step " + step + " seed=" + seed);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"9, 3, 64", "4, 4, 20", "30, 1, 16"})
    void shouldGiveTheSameBitsWhateverTheChunksTheNeighboursAndTheThreads(int heads, int kvHeads, int headDim) {
        AttentionShape shape = new AttentionShape(heads, kvHeads, headDim, headDim);
        int length = 53;
        float[][] rows = random(length, shape.qkvWidth(), 2, random);
        float[][] whole = inChunks(shape, rows, 2, length);
        for (int threads = 1; threads <= 3; threads++) {
            for (int chunk : new int[] {1, 7, 16, 30}) {
                assertThat(inChunks(shape, rows, threads, chunk))
                        .as("chunks of %d, %d threads, seed=%d", chunk, threads, seed)
                        .isDeepEqualTo(whole);
            }
        }
        float[][] neighbours = random(40, shape.qkvWidth(), 2, random);
        float[][] both = new float[40 + length][];
        System.arraycopy(neighbours, 0, both, 0, 40);
        System.arraycopy(rows, 0, both, 40, length);
        try (CpuBackend cpu = new CpuBackend(2)) {
            Batch batch = BothBackends.batch(16, new int[] {0, 0}, new int[] {40, length});
            float[][] attended = attend(cpu, shape, 16, new Batch[] {batch}, both)[0];
            assertThat(Arrays.copyOfRange(attended, 40, 40 + length)).isDeepEqualTo(whole);
        }
    }

    @Test
    void shouldNotReadWhatOthersLeftInABlock() {
        AttentionShape shape = new AttentionShape(2, 1, 16, 16);
        try (CpuBackend cpu = new CpuBackend(1)) {
            KvCache cache = cpu.allocateKv(new KvShape(2, BLOCKS, 16, 1, 16));
            float[][] rows = random(16, shape.qkvWidth(), 1, random);
            float[][] clean =
                    new float[][] {step(cpu, shape, cache, BothBackends.batch(16, new int[1], new int[] {1}), rows)[0]};
            float[][] poison = new float[16][shape.qkvWidth()];
            for (float[] row : poison) {
                Arrays.fill(row, Float.NaN);
            }
            step(cpu, shape, cache, BothBackends.batch(16, new int[1], new int[] {16}), poison);
            float[][] reused = step(cpu, shape, cache, BothBackends.batch(16, new int[1], new int[] {1}), rows);
            assertThat(reused[0]).containsExactly(clean[0]);
        }
    }

    @Test
    void shouldRefuseABlockSizeThatIsNoMultipleOfItsPanels() {
        assertThatThrownBy(() -> new CpuKvCache(new KvShape(1, 4, 24, 1, 16)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("block_size=24, expected=a multiple of 16");
    }

    @Test
    void shouldRefuseACacheThatOneArrayPerLayerCannotHold() {
        assertThatThrownBy(() -> new CpuKvCache(new KvShape(1, 1 << 20, 16, 8, 128)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("elements of one layer's keys=[8388608, 2048], expected=a product of at most");
    }

    private float[][] inChunks(AttentionShape shape, float[][] rows, int threads, int chunk) {
        try (CpuBackend cpu = new CpuBackend(threads)) {
            int steps = Math.ceilDiv(rows.length, chunk);
            Batch[] batches = new Batch[steps];
            float[][][] inputs = new float[steps][][];
            for (int s = 0; s < steps; s++) {
                int end = Math.min(rows.length, (s + 1) * chunk);
                batches[s] = BothBackends.batch(16, new int[] {s * chunk}, new int[] {end - s * chunk});
                inputs[s] = Arrays.copyOfRange(rows, s * chunk, end);
            }
            float[][][] attended = attend(cpu, shape, 16, batches, inputs);
            return Arrays.stream(attended).flatMap(Arrays::stream).toArray(float[][]::new);
        }
    }

    private static float[][][] attend(
            Backend backend, AttentionShape shape, int blockSize, Batch[] batches, float[][]... inputs) {
        KvCache cache = backend.allocateKv(new KvShape(2, BLOCKS, blockSize, shape.kvHeads(), shape.headDim()));
        float[][][] attended = new float[batches.length][][];
        for (int s = 0; s < batches.length; s++) {
            attended[s] = step(backend, shape, cache, batches[s], inputs[s]);
        }
        return attended;
    }

    private static float[][] step(Backend backend, AttentionShape shape, KvCache cache, Batch batch, float[][] rows) {
        Tensor qkv = tensor(backend, rows);
        Tensor attended = backend.allocate(batch.tokenCount(), shape.queryWidth());
        backend.ops().writeKv(batch, shape, qkv, cache, SLOT);
        backend.ops().attention(batch, shape, qkv, cache, SLOT, attended);
        return BothBackends.values(attended);
    }
}
