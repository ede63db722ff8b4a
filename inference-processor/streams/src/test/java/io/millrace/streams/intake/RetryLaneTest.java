package io.millrace.streams.intake;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RetryLaneTest {

    private static final RetryLane.BackOff BACK_OFF =
            new RetryLane.BackOff(Duration.ofMillis(100), Duration.ofMillis(400));

    private final List<Duration> pauses = new ArrayList<>();
    private final ArrayDeque<Runnable> timers = new ArrayDeque<>();
    private final Set<String> impossible = new HashSet<>();
    private final List<String> attempts = new ArrayList<>();
    private final List<String> done = new ArrayList<>();
    private int emptied;

    private final RetryLane<String> lane = new RetryLane<>(new ManualThreads(), this::attempt, () -> emptied++);

    private Optional<RetryLane.BackOff> attempt(String item) {
        attempts.add(item);
        if (impossible.contains(item)) {
            return Optional.of(BACK_OFF);
        }
        done.add(item);
        return Optional.empty();
    }

    @Test
    void shouldDoAtOnceWhatCanBeDone() {
        lane.run("a");
        lane.run("b");

        assertThat(done).containsExactly("a", "b");
        assertThat(timers).isEmpty();
    }

    @Test
    void shouldTryOnlyTheFirstOfManyAndFurtherAndFurtherApart() {
        impossible.add("a");
        lane.run("a");
        lane.run("b");
        lane.run("c");
        for (int i = 0; i < 4; i++) {
            timers.remove().run();
        }

        assertThat(attempts).containsOnly("a").hasSize(5);
        assertThat(pauses)
                .containsExactly(
                        Duration.ofMillis(100),
                        Duration.ofMillis(200),
                        Duration.ofMillis(400),
                        Duration.ofMillis(400),
                        Duration.ofMillis(400));
        assertThat(lane.size()).isEqualTo(3);
    }

    @Test
    void shouldLetAllFollowInOrderOnceTheFirstSucceeds() {
        impossible.add("a");
        lane.run("a");
        lane.run("b");
        lane.run("c");
        impossible.clear();
        timers.remove().run();

        assertThat(done).containsExactly("a", "b", "c");
        assertThat(lane.size()).isZero();
        assertThat(emptied).isEqualTo(1);
    }

    @Test
    void shouldBeginWithTheShortPauseAgainAfterASuccess() {
        impossible.add("a");
        lane.run("a");
        timers.remove().run();
        impossible.clear();
        timers.remove().run();

        impossible.add("d");
        lane.run("d");

        assertThat(pauses.getLast()).isEqualTo(Duration.ofMillis(100));
    }

    @Test
    void shouldTryAtOnceWhenKicked() {
        impossible.add("a");
        lane.run("a");
        impossible.clear();

        lane.kick();

        assertThat(done).containsExactly("a");
        timers.remove().run();
        assertThat(done).as("the timer finds nothing").containsExactly("a");
    }

    @Test
    void shouldKeepOneTimerHoweverOftenItIsKicked() {
        impossible.add("a");
        lane.run("a");
        for (int i = 0; i < 10; i++) {
            lane.kick();
        }

        assertThat(timers).hasSize(1);
    }

    private final class ManualThreads implements IntakeThreads {

        @Override
        public void execute(Runnable task) {
            task.run();
        }

        @Override
        public void after(Duration delay, Runnable task) {
            pauses.add(delay);
            timers.add(task);
        }

        @Override
        public void close() {
            timers.clear();
        }
    }
}
