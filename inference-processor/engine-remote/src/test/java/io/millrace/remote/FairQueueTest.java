package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FairQueueTest {

    private final FairQueue<String> queue = new FairQueue<>();

    private List<String> drain() {
        List<String> order = new ArrayList<>();
        while (queue.peek().isPresent()) {
            order.add(queue.peek().get());
            queue.removeFirst();
        }
        assertThat(queue.size()).isZero();
        return order;
    }

    @Test
    void shouldGoByPriorityThenTenantsInTurnThenArrival() {
        queue.add(1, "a", 0, "late");
        queue.add(0, "a", 1, "a1");
        queue.add(0, "a", 2, "a2");
        queue.add(0, "a", 3, "a3");
        queue.add(0, "b", 4, "b1");
        queue.add(0, "", 5, "c1");
        queue.add(-1, "b", 6, "early");

        assertThat(queue.size()).isEqualTo(7);
        assertThat(drain()).containsExactly("early", "a1", "b1", "c1", "a2", "a3", "late");
    }

    @Test
    void shouldPutWhatComesBackBeforeWhatArrivedLater() {
        queue.add(0, "a", 0, "first");
        queue.add(0, "a", 1, "second");
        queue.removeFirst();
        queue.add(0, "a", 0, "first");

        assertThat(drain()).containsExactly("first", "second");
    }

    @Test
    void shouldTakeOutOfTheMiddle() {
        queue.add(0, "a", 0, "a1");
        queue.add(0, "b", 1, "b1");
        queue.add(0, "c", 2, "c1");

        assertThat(queue.remove("b1")).isTrue();
        assertThat(queue.remove("b1")).isFalse();
        assertThat(queue.all()).containsExactlyInAnyOrder("a1", "c1");
        assertThat(drain()).containsExactly("a1", "c1");
    }

    @Test
    void shouldServeASmallTenantAmidALargeOnesBacklog() {
        for (int i = 0; i < 1000; i++) {
            queue.add(0, "large", i, "large" + i);
        }
        queue.removeFirst();
        queue.add(0, "small", 1000, "small");

        assertThat(drain().indexOf("small")).isEqualTo(1);
    }
}
