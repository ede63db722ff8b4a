package io.millrace.bench.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PlanTest {

    @Test
    void shouldRefuseWhatCannotBeMeasured() {
        assertThatThrownBy(() -> Plan.QUICK.withRounds(0)).hasMessage("rounds=0, expected=at least 1");
        assertThatThrownBy(() -> new Plan.Load(1, Duration.ofSeconds(1), Plan.Burst.of(1, 1, 1)))
                .hasMessage("share=1.0, expected=above 0 and below 1");
        assertThatThrownBy(() -> Plan.Burst.of(1, 1, 0)).hasMessage("least_tokens=0, expected=at least 1");
        assertThatThrownBy(() -> new Plan.Burst(1, 1, 2, 1))
                .hasMessage("most_tokens=1, expected=at least least_tokens=2");
        assertThatThrownBy(() ->
                        new Plan(1, Plan.Burst.of(2, 1, 1), 3, Plan.QUICK.load(), Plan.QUICK.busy(), Duration.ZERO))
                .hasMessage("blocking_prompts=3, expected=at most 2");
    }

    @Test
    void shouldSendAtLeastOnePrompt() {
        assertThat(new Plan.Rate(0.1, Duration.ofSeconds(1)).count()).isEqualTo(1);
        assertThat(new Plan.Rate(40, Duration.ofSeconds(15)).count()).isEqualTo(600);
    }

    @Test
    void shouldDrawLengthsOfAnswersBetweenBounds() {
        assertThat(Prompt.random(new Plan.Burst(200, 1, 2, 5), 1))
                .extracting(prompt -> prompt.request().getMaxTokens())
                .containsOnly(2, 3, 4, 5);
        assertThat(Prompt.random(Plan.Burst.of(20, 1, 3), 1))
                .extracting(prompt -> prompt.request().getMaxTokens())
                .containsOnly(3);
    }
}
