package io.millrace.llm.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.llm.backend.StepFailedException;
import io.millrace.llm.backend.StepInput;
import io.millrace.llm.backend.StepInput.Item;
import io.millrace.llm.backend.reference.ReferenceBackend;
import io.millrace.llm.sampler.SampleRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelRunnerTest {

    private static final int[][] TABLE = {{0, 1}};
    private static final SampleRequest GREEDY =
            new SampleRequest(0, 0, 1, 0, 1, new int[0], 0, 1, Optional.empty(), OptionalInt.empty());

    @TempDir
    Path directory;

    private ModelRunner runner;

    @BeforeEach
    void openRunner() throws IOException {
        LoadedModel model = LoadedModel.load(new TinyLlama().write(directory), new ReferenceBackend());
        runner = new ModelRunner(model, new RunnerLimits(8, 2, 4, 16));
    }

    @Test
    void shouldDrawOneTokenForEachItemThatAsksInTheItemsOrder() {
        int alone0 = drawn(item(0, 1, 2, 3));
        int alone1 = drawn(item(1, 7));
        runner.launch(step(item(0, 1, 2, 3), item(1, 7)));
        assertThat(runner.collect().sampled()).extracting(s -> s.id()).containsExactly(alone0, alone1);
        runner.launch(step(inner(0, 1, 2, 3), item(1, 7)));
        assertThat(runner.collect().sampled()).extracting(s -> s.id()).containsExactly(alone1);
        runner.launch(step(inner(0, 1, 2, 3)));
        assertThat(runner.collect().sampled()).isEmpty();
    }

    @Test
    void shouldTakeOneStepAtATime() {
        assertThat(runner.maxStepsInFlight()).isEqualTo(1);
        assertThatThrownBy(runner::collect)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("steps in flight=0, expected=1");
        runner.launch(step(item(0, 1)));
        assertThatThrownBy(() -> runner.launch(step(item(0, 1))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("steps in flight=2, expected=at most 1");
    }

    @Test
    void shouldRefuseStepsThatBreakTheirContract() {
        assertRefuses("items=0, expected=1 to 2");
        assertRefuses("items=3, expected=1 to 2", item(0, 1), item(1, 1), item(0, 1));
        assertRefuses("slot=2, expected=0 to 1", item(2, 1));
        assertRefuses("slot=0, expected=one item per slot", item(0, 1), item(0, 1));
        assertRefuses("tokens=9, expected=at most 8", item(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
        assertRefuses("token=40, expected=0 to 39", item(0, 40));
        assertRefuses("token=-1, expected=0 to 39", item(0, -1));
        assertRefuses("count=0, expected=at least 1", item(0));
        assertRefuses("tokens=1, expected=count=2", new Item(0, new int[1], 0, 2, TABLE, Optional.empty()));
        assertRefuses("start=-1, expected=at least 0", new Item(0, new int[1], -1, 1, TABLE, Optional.empty()));
        assertRefuses("blocks=2, expected=3 for 33 positions", new Item(0, new int[1], 32, 1, TABLE, Optional.empty()));
        assertRefuses("block=4, expected=0 to 3", new Item(0, new int[1], 0, 1, new int[][] {{4}}, Optional.empty()));
        assertRefuses("block tables=0, expected=1", new Item(0, new int[1], 0, 1, new int[0][], Optional.empty()));
    }

    @Test
    void shouldRefuseMasksAndHistoriesThatDoNotFitTheVocabulary() {
        assertRefuses(
                "allowed=2, expected=1 words for 40 ids",
                sampled(new SampleRequest(
                        0, 0, 1, 0, 1, new int[0], 0, 1, Optional.of(new long[2]), OptionalInt.empty())));
        assertRefuses(
                "history=40, expected=0 to 39",
                sampled(new SampleRequest(0, 0, 1, 0, 2, new int[] {40}, 0, 1, Optional.empty(), OptionalInt.empty())));
    }

    @Test
    void shouldFailTheStepWhereNothingMayBeDrawnAndRunTheNext() {
        int expected = drawn(item(0, 1));
        runner.launch(step(sampled(
                new SampleRequest(0, 0, 1, 0, 1, new int[0], 0, 1, Optional.of(new long[1]), OptionalInt.empty()))));
        assertThatThrownBy(runner::collect)
                .isInstanceOf(StepFailedException.class)
                .hasMessage("step of 1 items and 1 tokens failed: tokens that may be drawn=0, expected=at least 1");
        assertThat(drawn(item(0, 1))).isEqualTo(expected);
    }

    @Test
    void shouldNameALimitThatMakesNoSense() {
        assertThatThrownBy(() -> new RunnerLimits(4, 8, 1, 16))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("max_num_batched_tokens=4, expected=at least max_num_seqs=8");
        assertThatThrownBy(() -> new RunnerLimits(4, 0, 1, 16))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("max_num_seqs=0, expected=at least 1");
    }

    private void assertRefuses(String message, Item... items) {
        assertThatThrownBy(() -> runner.launch(step(items)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    private int drawn(Item item) {
        runner.launch(step(item));
        return runner.collect().sampled().getFirst().id();
    }

    private static StepInput step(Item... items) {
        return new StepInput(List.of(items));
    }

    /** Each slot has blocks of its own. */
    private static Item item(int slot, int... tokens) {
        int[][] table = {{2 * (slot % 2), 2 * (slot % 2) + 1}};
        return new Item(slot, tokens, 0, tokens.length, table, Optional.of(GREEDY));
    }

    private static Item inner(int slot, int... tokens) {
        return new Item(slot, tokens, 0, tokens.length, TABLE, Optional.empty());
    }

    private static Item sampled(SampleRequest request) {
        return new Item(0, new int[] {1}, 0, 1, TABLE, Optional.of(request));
    }
}
