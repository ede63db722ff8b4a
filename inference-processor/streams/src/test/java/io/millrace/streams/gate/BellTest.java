package io.millrace.streams.gate;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BellTest {

    private static final Duration LONG = Duration.ofHours(1);

    private final Bell bell = new Bell(LONG);

    @Test
    void shouldNotWaitForWhatHasRungSinceTheLastTime() {
        bell.ring();

        long heard = bell.await(0);
        assertThat(heard).isEqualTo(1);

        bell.ring();
        bell.ring();
        assertThat(bell.await(heard)).isEqualTo(3);
    }

    @Test
    void shouldWaitNoLongerThanItIsTold() {
        assertThat(new Bell(Duration.ofNanos(1)).await(0)).isZero();
    }

    @Test
    void shouldWakeAllWhoWait() {
        CompletableFuture<Long> one = CompletableFuture.supplyAsync(() -> bell.await(0), Thread::startVirtualThread);
        CompletableFuture<Long> other = CompletableFuture.supplyAsync(() -> bell.await(0), Thread::startVirtualThread);
        assertThat(one).isNotDone();

        bell.ring();

        Awaitility.await().until(() -> one.isDone() && other.isDone());
        assertThat(one).isCompletedWithValue(1L);
        assertThat(other).isCompletedWithValue(1L);
    }

    @Test
    void shouldKeepTheInterruptOfAThreadThatIsToEnd() {
        Thread.currentThread().interrupt();

        bell.await(0);

        assertThat(Thread.interrupted()).isTrue();
    }
}
