package io.millrace.llm.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.llm.backend.Backend;
import io.millrace.llm.backend.Backends;
import io.millrace.llm.golden.Golden;
import io.millrace.llm.golden.RealModel;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Continuations and logits against llama.cpp's: see ops/golden for the scripts that made the files. */
class ModelGoldenTest {

    @ParameterizedTest
    @CsvSource({"tiny-a, cpu", "tiny-a, reference", "tiny-b, cpu", "tiny-b, reference"})
    void shouldContinueAsTheJudgeDoesOnTinyModels(String name, String backendName) throws IOException {
        ModelGolden golden = ModelGolden.read(name + "-model.json");
        try (Backend backend = Backends.open(backendName, 2)) {
            LoadedModel model = LoadedModel.load(Golden.path(name + ".gguf"), backend);
            int vocab = model.config().vocab();
            golden.check(Generation.greedy(model, golden.prompts(), golden.steps(), 64, vocab));
        }
    }

    @Test
    void shouldContinueAsTheJudgeDoesOnTheRealModel() throws Exception {
        ModelGolden golden = ModelGolden.read("smollm2-model.json");
        try (Backend backend = Backends.open("cpu", 0)) {
            LoadedModel model = LoadedModel.load(RealModel.smolLm2(), backend);
            List<Generation.Result> first = Generation.greedy(
                    model, golden.prompts(), 1, 512, model.config().vocab());
            List<Generation.Result> all = Generation.greedy(model, golden.prompts(), golden.steps(), 512, 0);
            golden.check(
                    first.stream().map(r -> merge(r, all.get(first.indexOf(r)))).toList());
        }
    }

    private static Generation.Result merge(Generation.Result first, Generation.Result all) {
        assertThat(all.tokens().getFirst()).isEqualTo(first.tokens().getFirst());
        return new Generation.Result(all.tokens(), first.logprobs());
    }
}
