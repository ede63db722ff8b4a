package io.millrace.streams.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class GateTest {

    private static final TopicPartition P0 = new TopicPartition("prompts", 0);
    private static final TopicPartition P1 = new TopicPartition("prompts", 1);

    private final Gate gate = new Gate(new GateLimits(4, 3, 1000));

    @Test
    void shouldCloseForAllWhenTheInstanceIsFull() {
        add(gate.register(P0), 2, 10);
        add(gate.register(P1), 2, 10);

        assertThat(gate.isClosedFor(P0)).isTrue();
        assertThat(gate.isClosedFor(new TopicPartition("prompts", 7))).isTrue();
        assertThat(gate.closures()).containsExactly(new Closure(Closure.Reason.FULL, ""));
    }

    @Test
    void shouldCloseOnlyForThePartitionThatHasItsShare() {
        add(gate.register(P0), 3, 10);
        gate.register(P1);

        assertThat(gate.isClosedFor(P0)).isTrue();
        assertThat(gate.isClosedFor(P1)).isFalse();
        assertThat(gate.isClosed()).isFalse();
    }

    @Test
    void shouldCloseWhenBytesAreTooMany() {
        Gate.Load load = gate.register(P0);
        load.add(1000);

        assertThat(gate.isClosed()).isTrue();

        load.remove(1000);
        assertThat(gate.isClosed()).isFalse();
    }

    @Test
    void shouldCountPausedPromptsAmongNoneButTheirOwn() {
        Gate.Load load = gate.register(P0);
        add(load, 3, 300);
        for (int i = 0; i < 3; i++) {
            load.pause(300, "job=nightly");
        }

        assertThat(gate.isClosedFor(P0)).isFalse();
        assertThat(gate.pending()).isZero();
        assertThat(gate.pendingBytes()).isZero();
        assertThat(gate.paused()).isEqualTo(3);
        assertThat(load.count()).isZero();
        assertThat(load.paused()).isEqualTo(3);

        load.resume(300);
        assertThat(gate.pending()).isEqualTo(1);
        assertThat(gate.pendingBytes()).isEqualTo(300);
        assertThat(gate.paused()).isEqualTo(2);

        load.release();
        assertThat(gate.pending()).isZero();
        assertThat(gate.pendingBytes()).isZero();
        assertThat(gate.paused()).isZero();
    }

    @Test
    void shouldCloseWhenAsManyArePausedAsMayBeAndNameThePause() {
        Gate small = new Gate(new GateLimits(4, 3, 1000, 2));
        Gate.Load load = small.register(P0);
        add(load, 2, 10);
        load.pause(10, "job=a");
        assertThat(small.isClosed()).isFalse();
        load.pause(10, "job=b");

        assertThat(small.isClosedFor(P1)).isTrue();
        assertThat(small.closures()).containsExactly(new Closure(Closure.Reason.PAUSED, "job=b"));

        load.resume(10);
        assertThat(small.isClosed()).isFalse();
    }

    @Test
    void shouldCloseWhenPausedPromptsHaveTooManyBytes() {
        Gate.Load load = gate.register(P0);
        add(load, 1, 1000);
        load.pause(1000, "tenant=t");

        assertThat(gate.closures()).containsExactly(new Closure(Closure.Reason.PAUSED, "tenant=t"));
    }

    @Test
    void shouldStayClosedUntilEachReasonIsGone() {
        Closure registry = new Closure(Closure.Reason.REGISTRY, "");
        Closure engine = new Closure(Closure.Reason.ENGINE, "m");
        assertThat(gate.close(registry)).isTrue();
        assertThat(gate.close(registry)).as("closed for it already").isFalse();
        gate.close(engine);
        gate.open(registry);

        assertThat(gate.isClosed()).isTrue();
        assertThat(gate.closures()).containsExactly(engine);

        assertThat(gate.open(engine)).isTrue();
        assertThat(gate.isClosed()).isFalse();
    }

    @Test
    void shouldTakeATasksCountBackWhenItCloses() {
        Gate.Load load = gate.register(P0);
        add(load, 3, 10);
        add(gate.register(P1), 1, 10);

        load.release();

        assertThat(gate.pending()).isEqualTo(1);
        assertThat(gate.pendingBytes()).isEqualTo(10);
        assertThat(gate.isClosedFor(P0)).isFalse();
    }

    @Test
    void shouldNotLetAnOldTaskTakeBackItsSuccessorsPlace() {
        Gate.Load old = gate.register(P0);
        Gate.Load successor = gate.register(P0);
        add(successor, 3, 10);

        old.release();

        assertThat(gate.isClosedFor(P0)).isTrue();
    }

    @Test
    void shouldRefuseAnImpossibleLimit() {
        assertThatThrownBy(() -> new GateLimits(0, 1, 1)).hasMessage("max_pending=0, expected=at least 1");
        assertThatThrownBy(() -> new GateLimits(1, 1, 1, 0)).hasMessage("max_paused=0, expected=at least 1");
    }

    private static void add(Gate.Load load, int prompts, long bytes) {
        for (int i = 0; i < prompts; i++) {
            load.add(bytes);
        }
    }
}
