package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SamplingParametersTest {

    static Stream<Arguments> wrong() {
        return Stream.of(
                wrong(b -> b.maxTokens(0), "max_tokens=0, expected=at least 1"),
                wrong(b -> b.minTokens(-1), "min_tokens=-1, expected=0 to max_tokens"),
                wrong(b -> b.maxTokens(4).minTokens(5), "min_tokens=5, expected=0 to max_tokens"),
                wrong(b -> b.temperature(-0.5), "temperature=-0.5, expected=0 to 2"),
                wrong(b -> b.temperature(2.5), "temperature=2.5, expected=0 to 2"),
                wrong(b -> b.temperature(Double.NaN), "temperature=NaN, expected=0 to 2"),
                wrong(b -> b.topP(0), "top_p=0.0, expected=above 0, to 1"),
                wrong(b -> b.topP(1.01), "top_p=1.01, expected=above 0, to 1"),
                wrong(b -> b.topP(Double.NaN), "top_p=NaN, expected=above 0, to 1"),
                wrong(b -> b.topK(-1), "top_k=-1, expected=0 (all) or more"),
                wrong(b -> b.minP(-0.1), "min_p=-0.1, expected=0 to 1"),
                wrong(b -> b.minP(1.1), "min_p=1.1, expected=0 to 1"),
                wrong(b -> b.repetitionPenalty(0), "repetition_penalty=0.0, expected=above 0, to 10"),
                wrong(b -> b.repetitionPenalty(10.5), "repetition_penalty=10.5, expected=above 0, to 10"),
                wrong(b -> b.stop(List.of("a", "")), "stop=[a, ], expected=non-empty strings"),
                wrong(b -> b.logprobs(-1), "logprobs=-1, expected=0 to 20"),
                wrong(b -> b.logprobs(21), "logprobs=21, expected=0 to 20"));
    }

    private static Arguments wrong(UnaryOperator<SamplingParameters.Builder> change, String message) {
        return Arguments.of(change, message);
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("wrong")
    void shouldNameFieldValueAndExpectation(UnaryOperator<SamplingParameters.Builder> change, String message) {
        assertThatThrownBy(() -> change.apply(SamplingParameters.builder()).build())
                .isInstanceOf(InvalidRequestException.class)
                .hasMessage(message);
    }

    @Test
    void shouldRefuseMoreStopStringsThanAreSearchedFor() {
        List<String> stop = Collections.nCopies(SamplingParameters.MAX_STOP_STRINGS + 1, "ab");
        assertThatThrownBy(() -> SamplingParameters.builder().stop(stop).build())
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageStartingWith("stop=[ab, ab, ")
                .hasMessageEndingWith(", expected=at most 16 strings");
    }

    @Test
    void shouldShortenAValueThatIsTooLongForAMessage() {
        assertThatThrownBy(() -> SamplingParameters.builder()
                        .stop(List.of("", "x".repeat(10_000)))
                        .build())
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(300).contains("…, expected="));
    }

    @Test
    void shouldTakeTheEndsOfEachRange() {
        SamplingParameters parameters = SamplingParameters.builder()
                .maxTokens(1)
                .minTokens(1)
                .ignoreEos(true)
                .temperature(2)
                .topP(1)
                .topK(0)
                .minP(1)
                .repetitionPenalty(10)
                .stop(List.of("a"))
                .seed(-1)
                .logprobs(20)
                .responseFormat(new ResponseFormat.JsonObject())
                .build();
        assertThat(parameters)
                .isEqualTo(new SamplingParameters(
                        OptionalInt.of(1),
                        1,
                        true,
                        2,
                        1,
                        0,
                        1,
                        10,
                        List.of("a"),
                        OptionalLong.of(-1),
                        OptionalInt.of(20),
                        new ResponseFormat.JsonObject()));
        assertThat(parameters.toBuilder().build()).isEqualTo(parameters);
    }

    @Test
    void shouldKeepWhatARequestDoesNotSet() {
        SamplingParameters defaults =
                SamplingParameters.builder().temperature(0.7).topP(0.9).build();
        SamplingParameters merged = defaults.toBuilder().maxTokens(8).build();
        assertThat(merged.temperature()).isEqualTo(0.7);
        assertThat(merged.topP()).isEqualTo(0.9);
        assertThat(merged.maxTokens()).hasValue(8);
        assertThat(SamplingParameters.GREEDY.temperature()).isZero();
        assertThat(SamplingParameters.DEFAULT.temperature()).isEqualTo(1);
    }
}
