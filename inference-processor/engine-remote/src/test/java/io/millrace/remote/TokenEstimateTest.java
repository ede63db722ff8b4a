package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.SamplingParameters;
import io.millrace.remote.protocol.Answer.TokenCounts;
import io.millrace.remote.protocol.ServerCall.PromptSize;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class TokenEstimateTest {

    private static final SamplingParameters UP_TO_100 =
            SamplingParameters.builder().maxTokens(100).build();

    private final TokenEstimate estimate = new TokenEstimate();

    @Test
    void shouldReserveMaxTokensAndAFourthOfThePromptsCharactersAtFirst() {
        assertThat(estimate.tokens(new PromptSize(400, 0), UP_TO_100)).isEqualTo(200);
        assertThat(estimate.tokens(new PromptSize(0, 30), UP_TO_100)).isEqualTo(130);
        assertThat(estimate.tokens(new PromptSize(0, 30), SamplingParameters.DEFAULT))
                .isEqualTo(286);
    }

    @Test
    void shouldBeCorrectedByWhatAnswersTook() {
        PromptSize prompt = new PromptSize(400, 0);
        for (int i = 0; i < 200; i++) {
            estimate.measured(prompt, UP_TO_100, new TokenCounts(OptionalInt.of(200), 0, OptionalInt.of(10)));
        }
        assertThat(estimate.promptTokens(prompt)).isBetween(199, 201);
        assertThat(estimate.tokens(prompt, UP_TO_100)).isBetween(209, 212);
        assertThat(estimate.tokens(prompt, SamplingParameters.DEFAULT)).isBetween(209, 212);
    }

    @Test
    void shouldNotTakeTheTemplateOfShortPromptsForTheTextOfLongOnes() {
        for (int i = 0; i < 200; i++) {
            // a template of 30 tokens, and a token for every 5 characters
            int chars = i % 2 == 0 ? 10 : 10_000;
            int tokens = 30 + chars / 5;
            estimate.measured(
                    new PromptSize(chars, 0), UP_TO_100, new TokenCounts(OptionalInt.of(tokens), 0, OptionalInt.of(1)));
        }
        assertThat(estimate.promptTokens(new PromptSize(10_000, 0))).isBetween(2000, 2150);
    }

    @Test
    void shouldLearnNothingFromAServerThatCountsNothing() {
        estimate.measured(
                new PromptSize(400, 0), UP_TO_100, new TokenCounts(OptionalInt.empty(), 0, OptionalInt.empty()));
        assertThat(estimate.tokens(new PromptSize(400, 0), UP_TO_100)).isEqualTo(200);
    }

    @Test
    void shouldNotOverflow() {
        SamplingParameters most =
                SamplingParameters.builder().maxTokens(Integer.MAX_VALUE).build();
        assertThat(estimate.tokens(new PromptSize(Long.MAX_VALUE, 0), most)).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void shouldLearnNothingOfTextsFromPromptsThatAreTokensAlready() {
        for (int i = 0; i < 200; i++) {
            estimate.measured(
                    new PromptSize(0, 5000), UP_TO_100, new TokenCounts(OptionalInt.of(5000), 0, OptionalInt.empty()));
        }
        assertThat(estimate.promptTokens(new PromptSize(400, 0))).isEqualTo(100);
    }

    @Test
    void shouldNotReserveMoreThanMaxTokensWhateverAServerHasWritten() {
        for (int i = 0; i < 200; i++) {
            estimate.measured(
                    new PromptSize(400, 0), UP_TO_100, new TokenCounts(OptionalInt.of(100), 0, OptionalInt.of(1000)));
        }
        assertThat(estimate.tokens(new PromptSize(400, 0), UP_TO_100)).isBetween(200, 201);
    }
}
