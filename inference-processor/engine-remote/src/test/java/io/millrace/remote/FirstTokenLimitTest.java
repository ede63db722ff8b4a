package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FirstTokenLimitTest {

    private final FirstTokenLimit limit = new FirstTokenLimit(100);

    /** First tokens of requests that were sent now, as many as a window has. */
    private void window(int finished) {
        int epoch = limit.epoch();
        while (limit.epoch() == epoch) {
            limit.firstToken(epoch, limit.get(), finished, 0);
        }
    }

    @Test
    void shouldGrowWithEachFirstTokenUntilAWindowHasFoundAQueueThenWithEachWindow() {
        for (int i = 0; i < 7; i++) {
            limit.firstToken(limit.epoch(), limit.get(), 0, 0);
        }
        assertThat(limit.get()).isEqualTo(15);
        window(1);
        int found = limit.get();
        window(1);
        assertThat(limit.get()).as("one in line hides the way").isEqualTo(found);
        window(0);
        assertThat(limit.get()).isEqualTo(found + 1);
        window(0);
        assertThat(limit.get()).isEqualTo(found + 2);
        window(4);
        assertThat(limit.get()).isLessThan(found);
    }
}
