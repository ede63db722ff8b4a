package io.millrace.llm.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.Output.TokenLogprob;
import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.cpu.CpuBackend;
import io.millrace.llm.backend.reference.ReferenceBackend;
import io.millrace.llm.gguf.GgmlType;
import io.millrace.llm.gguf.GgufException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LoadedModelTest {

    private static final List<int[]> PROMPTS = List.of(new int[] {1, 2, 3, 4, 5}, new int[] {39});

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q8_0"})
    void shouldComputeTheSameOnBothBackendsWithWeightsOfAnyType(GgmlType type) throws IOException {
        compareBackends(new TinyLlama().type(type));
    }

    @Test
    void shouldComputeTheSameOnBothBackendsWithBiasesUntiedHeadAndMixedTypes() throws IOException {
        compareBackends(new TinyLlama()
                .tensor("output.weight", GgmlType.Q8_0, 32, 40)
                .tensor("blk.0.attn_q.weight", GgmlType.Q4_1, 32, 32)
                .tensor("blk.0.attn_k.weight", GgmlType.F16, 32, 16)
                .tensor("blk.0.attn_q.bias", 32)
                .tensor("blk.0.attn_k.bias", 16)
                .tensor("blk.0.attn_v.bias", 16)
                .tensor("blk.0.attn_output.bias", 32)
                .tensor("blk.0.ffn_gate.bias", 64)
                .tensor("blk.0.ffn_up.bias", 64)
                .tensor("blk.0.ffn_down.bias", 32)
                .tensor("rope_freqs.weight", 4));
    }

    @Test
    void shouldComputeTheSameOnBothBackendsWithSizesThatNoTileDivides() throws IOException {
        compareBackends(new TinyLlama()
                .with("llama.embedding_length", 21)
                .with("llama.feed_forward_length", 19)
                .with("llama.attention.head_count", 3)
                .with("llama.attention.head_count_kv", 1)
                .with("llama.attention.key_length", 6)
                .with("llama.attention.value_length", 6)
                .tensor("token_embd.weight", 21, 40)
                .tensor("output_norm.weight", 21)
                .tensor("blk.0.attn_norm.weight", 21)
                .tensor("blk.0.attn_q.weight", 21, 18)
                .tensor("blk.0.attn_k.weight", 21, 6)
                .tensor("blk.0.attn_v.weight", 21, 6)
                .tensor("blk.0.attn_output.weight", 18, 21)
                .tensor("blk.0.ffn_norm.weight", 21)
                .tensor("blk.0.ffn_gate.weight", 21, 19)
                .tensor("blk.0.ffn_up.weight", 21, 19)
                .tensor("blk.0.ffn_down.weight", 19, 21));
    }

    @Test
    void shouldTakeMatricesOfOneRowAndVectorsOfTwoDimensions() throws IOException {
        compareBackends(new TinyLlama()
                .with("llama.feed_forward_length", 1)
                .tensor("blk.0.ffn_gate.weight", 32)
                .tensor("blk.0.ffn_up.weight", 32, 1)
                .tensor("blk.0.ffn_down.weight", 1, 32)
                .tensor("blk.0.ffn_norm.weight", 32, 1));
    }

    @Test
    void shouldNameATensorThatIsMissing() {
        assertThatThrownBy(() -> load(new TinyLlama().without("blk.0.attn_v.weight")))
                .isInstanceOf(GgufException.class)
                .hasMessageContaining("tiny.gguf")
                .hasMessageContaining("blk.0.attn_v.weight");
        assertThatThrownBy(() -> load(new TinyLlama().with("llama.block_count", Integer.MAX_VALUE)))
                .isInstanceOf(GgufException.class)
                .hasMessageContaining("blk.1.attn_norm.weight");
    }

    @Test
    void shouldNameATensorOfAWrongShapeWithBothShapes() {
        assertThatThrownBy(() -> load(new TinyLlama().tensor("blk.0.attn_k.weight", 32, 32)))
                .isInstanceOf(GgufException.class)
                .hasMessageEndingWith("expected=tensor blk.0.attn_k.weight of shape [32, 16], found=shape [32, 32]");
        assertThatThrownBy(() -> load(new TinyLlama().tensor("rope_freqs.weight", 3)))
                .hasMessageEndingWith("expected=tensor rope_freqs.weight of shape [4], found=shape [3]");
        assertThatThrownBy(() -> load(new TinyLlama().with("llama.vocab_size", 41)))
                .hasMessageEndingWith("expected=tensor token_embd.weight of shape [32, 41], found=shape [32, 40]");
    }

    private void load(TinyLlama model) throws IOException {
        try (Backend backend = new ReferenceBackend()) {
            LoadedModel.load(model.write(directory), backend);
        }
    }

    private void compareBackends(TinyLlama model) throws IOException {
        Path file = model.write(directory);
        try (Backend cpu = new CpuBackend(2);
                Backend reference = new ReferenceBackend()) {
            List<Generation.Result> fast = Generation.greedy(LoadedModel.load(file, cpu), PROMPTS, 1, 3, 40);
            List<Generation.Result> truth = Generation.greedy(LoadedModel.load(file, reference), PROMPTS, 1, 16, 40);
            for (int i = 0; i < PROMPTS.size(); i++) {
                float[] actual = byId(fast.get(i));
                float[] expected = byId(truth.get(i));
                for (int id = 0; id < expected.length; id++) {
                    assertThat(Math.abs(actual[id] - expected[id]))
                            .as("token %d", id)
                            .isLessThan(2e-3f);
                }
            }
        }
    }

    private static float[] byId(Generation.Result result) {
        float[] logprobs = new float[40];
        List<TokenLogprob> top = result.logprobs().getFirst().top();
        top.stream()
                .sorted(Comparator.comparingInt(TokenLogprob::tokenId))
                .forEach(t -> logprobs[t.tokenId()] = t.logprob());
        return logprobs;
    }
}
