package io.millrace.llm.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.millrace.llm.backend.AttentionShape;
import io.millrace.llm.gguf.GgufException;
import io.millrace.llm.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelConfigTest {

    @TempDir
    Path directory;

    @Test
    void shouldReadHyperparametersWithTheirDefaults() throws IOException {
        ModelConfig config = read(new TinyLlama());
        assertThat(config)
                .isEqualTo(new ModelConfig(
                        "llama",
                        1,
                        32,
                        40,
                        64,
                        new AttentionShape(4, 2, 8, 8),
                        new Ffn.Dense(64),
                        1e-5f,
                        new Rope(8, 10_000, 1),
                        List.of(new KvGroup(1))));
        assertThat(config.kvBytesPerToken()).isEqualTo(2 * 2 * 2 * 8);
    }

    @Test
    void shouldReadWhatAModelSaysItself() throws IOException {
        ModelConfig config = read(new TinyLlama()
                .with("llama.attention.key_length", 12)
                .with("llama.rope.dimension_count", 6)
                .with("llama.rope.freq_base", 500_000f)
                .with("llama.rope.scaling.type", "linear")
                .with("llama.rope.scaling.factor", 4f)
                .without("llama.attention.head_count_kv"));
        assertThat(config.attention()).isEqualTo(new AttentionShape(4, 4, 12, 6));
        assertThat(config.rope()).isEqualTo(new Rope(6, 500_000, 0.25));
        double[] frequencies = config.rope().frequencies(new float[] {1, 2, 4}).perPosition();
        assertThat(frequencies[0]).isEqualTo(0.25);
        assertThat(frequencies[2]).isCloseTo(0.25 / 4 * Math.pow(500_000, -4 / 6.0), within(1e-12));
    }

    @Test
    void shouldIgnoreAScalingFactorWhereScalingIsOff() throws IOException {
        ModelConfig config =
                read(new TinyLlama().with("llama.rope.scaling.type", "none").with("llama.rope.scaling.factor", 4f));
        assertThat(config.rope().positionScale()).isEqualTo(1);
    }

    @Test
    void shouldNameTheArchitectureItCannotRunAndTheFile() {
        assertThatThrownBy(() -> read(new TinyLlama().with("general.architecture", "mamba")))
                .isInstanceOf(GgufException.class)
                .hasMessageContaining("tiny.gguf")
                .hasMessageEndingWith("expected=general.architecture as llama, found=mamba");
    }

    @Test
    void shouldNameTheKeyThatIsMissing() {
        assertFails(new TinyLlama().without("llama.context_length"), "llama.context_length", "no such metadata key");
    }

    @Test
    void shouldRefuseWhatIsOutOfRange() {
        assertFails(new TinyLlama().with("llama.block_count", 0), "llama.block_count as at least 1", "0");
        assertFails(
                new TinyLlama().with("llama.attention.head_count_kv", 3),
                "llama.attention.head_count_kv as a divisor of head_count=4",
                "3");
        assertFails(
                new TinyLlama().with("llama.attention.head_count", 5),
                "llama.attention.head_count_kv as a divisor of head_count=5",
                "2");
        assertFails(
                new TinyLlama().with("llama.rope.dimension_count", 7),
                "llama.rope.dimension_count as an even number up to 8",
                "7");
        assertFails(
                new TinyLlama().with("llama.attention.value_length", 4),
                "llama.attention.value_length as key_length=8",
                "4");
        assertFails(
                new TinyLlama().with("llama.attention.layer_norm_rms_epsilon", Float.NaN),
                "llama.attention.layer_norm_rms_epsilon as above 0, below 1",
                "NaN");
        assertFails(
                new TinyLlama().with("llama.rope.freq_base", -1f), "llama.rope.freq_base as a number above 0", "-1.0");
    }

    @Test
    void shouldRefuseWhatItCannotDo() {
        assertFails(
                new TinyLlama().with("llama.rope.scaling.type", "yarn"),
                "llama.rope.scaling.type as none or linear",
                "yarn");
        assertFails(new TinyLlama().with("llama.expert_count", 8), "llama.expert_count as 0 (a dense model)", "8");
        assertFails(
                new TinyLlama().with("llama.attention.causal", false),
                "llama.attention.causal as true (a generating model)",
                "false");
    }

    private void assertFails(TinyLlama model, String expected, String found) {
        assertThatThrownBy(() -> read(model))
                .isInstanceOf(GgufException.class)
                .hasMessageContaining("expected=" + expected)
                .hasMessageEndingWith("found=" + found);
    }

    private ModelConfig read(TinyLlama model) throws IOException {
        try (GgufFile file = GgufFile.open(model.write(directory))) {
            return ModelConfig.read(file);
        }
    }
}
