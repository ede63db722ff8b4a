package io.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SampleTest {

    @Test
    void shouldTellMedianAndSpread() {
        var odd = new Sample(3, 1, 2);
        assertThat(odd.median()).isEqualTo(2);
        assertThat(odd.least()).isEqualTo(1);
        assertThat(odd.most()).isEqualTo(3);
        assertThat(new Sample(4, 1, 2, 3).median()).isEqualTo(2.5);
    }

    @Test
    void shouldRefuseNoMeasurements() {
        assertThatThrownBy(Sample::new).hasMessage("values=0, expected=at least 1");
    }

    @Test
    void shouldNeedRoomForEachSequenceInAStep() {
        assertThatThrownBy(() -> new EngineBench.Plan(java.util.List.of(1, 32), 64, 32, 5, 16))
                .hasMessage("max_num_batched_tokens=16, expected=at least 32");
    }
}
