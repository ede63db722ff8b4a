package io.millrace.bench.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class EndingsTest {

    private static final Duration SHORT = Duration.ofMillis(1);

    private final Endings endings = new Endings(2);

    @Test
    void shouldKnowWhenEachPromptEndedAndHow() throws InterruptedException {
        endings.ended(1, 20, new Endings.Answer("b", 2));
        endings.ended(0, 10, new Endings.Answer("a", 1));

        endings.await(SHORT);
        assertThat(endings.nanos(0)).isEqualTo(10);
        assertThat(endings.nanos(1)).isEqualTo(20);
        assertThat(endings.answers()).extracting(Endings.Answer::text).containsExactly("a", "b");
    }

    @Test
    void shouldFailTheRunWhereAPromptEndsTwice() {
        endings.ended(1, 20, new Endings.Answer("b", 2));
        endings.ended(1, 21, new Endings.Answer("b", 2));

        assertThatThrownBy(() -> endings.await(SHORT))
                .hasMessageContaining("prompt=1, expected=one ending of each of 2");
    }

    @Test
    void shouldFailTheRunWhereAPromptThatNobodySentEnds() {
        endings.ended(2, 20, new Endings.Answer("c", 2));

        assertThatThrownBy(() -> endings.await(SHORT))
                .hasMessageContaining("prompt=2, expected=one ending of each of 2");
    }

    @Test
    void shouldSayHowManyPromptsHaveNoEnding() {
        endings.ended(0, 10, new Endings.Answer("a", 1));

        assertThatThrownBy(() -> endings.await(SHORT))
                .hasMessage("prompts without an ending=1, expected=0 within PT0.001S");
    }
}
