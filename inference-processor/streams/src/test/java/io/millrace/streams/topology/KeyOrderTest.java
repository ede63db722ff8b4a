package io.millrace.streams.topology;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.streams.config.Ordering;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Whose turn it is. */
class KeyOrderTest {

    private final KeyOrder<String> order = new KeyOrder<>(Ordering.KEY);

    @Test
    void shouldHoldBackTheSuccessorsOfAKeyAndNoOthers() {
        assertThat(order.isFree(key("a"))).isTrue();
        assertThat(order.enter(key("a"), "a1")).isTrue();
        assertThat(order.isFree(key("a"))).isFalse();
        assertThat(order.enter(key("a"), "a2")).isFalse();
        assertThat(order.enter(key("b"), "b1")).isTrue();
        assertThat(order.enter(key("a"), "a3")).isFalse();
        assertThat(order.first(key("a"))).contains("a1");
        assertThat(order.behind(key("a"))).containsExactly("a2", "a3");
        assertThat(order.behind(key("b"))).isEmpty();
        assertThat(order.mayRun(key("a"), "a1")).isTrue();
        assertThat(order.mayRun(key("a"), "a2")).isFalse();

        assertThat(order.leave(key("a"))).contains("a2");
        assertThat(order.enter(key("a"), "a4")).isFalse();
        assertThat(order.leave(key("a"))).contains("a3");
        assertThat(order.leave(key("a"))).contains("a4");
        assertThat(order.leave(key("a"))).isEmpty();
        assertThat(order.isFree(key("a"))).isTrue();
        assertThat(order.leave(key("a"))).isEmpty();
        assertThat(order.enter(key("a"), "a5")).isTrue();
    }

    @Test
    void shouldNeverHoldBackWhatHasNoKey() {
        assertThat(order.enter(null, "1")).isTrue();
        assertThat(order.enter(null, "2")).isTrue();
        assertThat(order.isFree(null)).isTrue();
        assertThat(order.mayRun(null, "2")).isTrue();
        assertThat(order.leave(null)).isEmpty();
        assertThat(order.behind(null)).isEmpty();
    }

    @Test
    void shouldTakeAnEmptyKeyForAKey() {
        assertThat(order.enter(new byte[0], "1")).isTrue();
        assertThat(order.enter(new byte[0], "2")).isFalse();
        assertThat(order.leave(new byte[0])).contains("2");
    }

    @Test
    void shouldHoldBackNothingWhereNoOrderIsAskedFor() {
        KeyOrder<String> none = new KeyOrder<>(Ordering.NONE);

        assertThat(none.enter(key("a"), "1")).isTrue();
        assertThat(none.enter(key("a"), "2")).isTrue();
        assertThat(none.mayRun(key("a"), "2")).isTrue();
        assertThat(none.leave(key("a"))).isEmpty();
        assertThat(none.behind(key("a"))).isEmpty();
    }

    private static byte[] key(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
