package io.millrace.llm.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.millrace.llm.kvcache.BlockPool;
import io.millrace.llm.kvcache.KvBlocks;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WaitingQueueTest {

    private final WaitingQueue queue = new WaitingQueue();
    private long arrivals;

    @Test
    void shouldServePrioritiesThenTenantsInTurnThenArrivals() {
        add(1, "a");
        add(0, "a"); // 1
        add(0, "a"); // 2
        add(0, "a"); // 3
        add(0, "b"); // 4
        add(0, "b"); // 5
        add(0, "c"); // 6
        add(-5, "z"); // 7
        assertThat(drain()).containsExactly(7L, 1L, 4L, 6L, 2L, 5L, 3L, 0L);
        assertThat(queue.size()).isZero();
    }

    @Test
    void shouldServeThePreemptedFirstWithinTheirPriority() {
        add(0, "a"); // 0
        Sequence second = preempted(0, "b"); // 1
        Sequence first = preempted(0, "a"); // 2
        preempted(1, "a"); // 3
        queue.add(first);
        queue.add(second);
        assertThat(drain()).containsExactly(1L, 2L, 0L);
    }

    @Test
    void shouldKeepATenantsTurnWhenOneOfItsSequencesIsCancelled() {
        Sequence first = add(0, "a");
        add(0, "b"); // 1
        add(0, "a"); // 2
        queue.remove(first);
        assertThat(drain()).containsExactly(2L, 1L);
    }

    @Test
    void shouldForgetATenantWithNothingLeft() {
        Sequence only = add(0, "a");
        queue.remove(only);
        assertThat(queue.peek()).isEmpty();
        assertThatIllegalStateException()
                .isThrownBy(() -> queue.remove(only))
                .withMessageEndingWith("expected=a sequence that waits here");
    }

    private Sequence add(int priority, String tenant) {
        Sequence sequence = sequence(priority, tenant);
        queue.add(sequence);
        return sequence;
    }

    private Sequence preempted(int priority, String tenant) {
        Sequence sequence = sequence(priority, tenant);
        sequence.start(0);
        sequence.preempt();
        return sequence;
    }

    private Sequence sequence(int priority, String tenant) {
        KvBlocks blocks = new KvBlocks(List.of(new BlockPool(1)), 1);
        return new Sequence(arrivals++, priority, tenant, new int[1], 2, blocks);
    }

    private List<Long> drain() {
        List<Long> order = new ArrayList<>();
        for (Optional<Sequence> next = queue.peek(); next.isPresent(); next = queue.peek()) {
            order.add(next.get().arrival());
            queue.removeFirst();
        }
        return order;
    }
}
