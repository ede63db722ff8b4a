package io.millrace.llm.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.llm.backend.cpu.CpuBackend;
import io.millrace.llm.golden.Golden;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On the cpu backend a sequence gets bitwise the same log probabilities alone and in any batch. */
class BatchInvarianceTest {

    private static final int TOKENS = 12;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    @ParameterizedTest
    @ValueSource(strings = {"tiny-a.gguf", "tiny-b.gguf"})
    void shouldGiveTheSameBitsAloneAndAmong7And32AndInChunks(String name) throws IOException {
        Path file = Golden.path(name);
        List<Generation.Result> alone = new ArrayList<>();
        List<int[]> prompts = new ArrayList<>();
        try (CpuBackend cpu = new CpuBackend(2)) {
            LoadedModel model = LoadedModel.load(file, cpu);
            int vocab = model.config().vocab();
            for (int i = 0; i < 32; i++) {
                prompts.add(random.ints(1 + random.nextInt(60), 3, vocab).toArray());
                alone.addAll(Generation.greedy(model, List.of(prompts.get(i)), TOKENS, 512, vocab));
            }
            for (int chunk : new int[] {1, 7, 16, 2048}) {
                assertSame(
                        Generation.greedy(model, prompts, TOKENS, chunk, vocab),
                        alone,
                        "32 sequences, chunks of " + chunk);
                assertSame(
                        Generation.greedy(model, prompts.subList(5, 12), TOKENS, chunk, vocab),
                        alone.subList(5, 12),
                        "7 sequences, chunks of " + chunk);
            }
        }
        for (int threads : new int[] {1, 3}) {
            try (CpuBackend cpu = new CpuBackend(threads)) {
                LoadedModel model = LoadedModel.load(file, cpu);
                int vocab = model.config().vocab();
                assertSame(Generation.greedy(model, prompts, TOKENS, 33, vocab), alone, threads + " threads");
            }
        }
    }

    @Test
    void shouldDequantizeAsManyTilesForOneSequenceAsFor32() throws IOException {
        try (CpuBackend cpu = new CpuBackend(2)) {
            LoadedModel model = LoadedModel.load(Golden.path("tiny-b.gguf"), cpu);
            long one = tilesOfOneToken(cpu, model, 1);
            assertThat(tilesOfOneToken(cpu, model, 32)).isEqualTo(one).isPositive();
        }
    }

    private static long tilesOfOneToken(CpuBackend cpu, LoadedModel model, int sequences) {
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < sequences; i++) {
            prompts.add(new int[] {3 + i});
        }
        long before = cpu.dequantizedTiles();
        Generation.greedy(model, prompts, 1, 64, 0);
        return cpu.dequantizedTiles() - before;
    }

    private void assertSame(List<Generation.Result> actual, List<Generation.Result> expected, String what) {
        for (int i = 0; i < expected.size(); i++) {
            assertThat(actual.get(i))
                    .as("%s, sequence %d, seed=%d", what, i, seed)
                    .isEqualTo(expected.get(i));
        }
    }
}
