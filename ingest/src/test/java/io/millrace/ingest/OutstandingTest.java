package io.millrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.millrace.ingest.Outstanding.Waiting;
import io.millrace.schemas.InferenceResult;
import io.millrace.schemas.Source;
import io.millrace.schemas.Timings;
import io.millrace.schemas.Usage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class OutstandingTest {

    private static final Answer ANSWER = new Answer(
            InferenceResult.newBuilder()
                    .setRequestId("r-1")
                    .setModel("m")
                    .setOperation("chat")
                    .setFinishReason("stop")
                    .setUsage(new Usage(1, 0, 1))
                    .setTimings(new Timings(0.0, 0.0, 0.0, 0.0, 0.0))
                    .setSource(new Source("prompts", 0, 0L, Instant.EPOCH))
                    .build(),
            "");

    private final Outstanding outstanding = new Outstanding(1);

    @Test
    void shouldGiveBackRoomOnceHoweverOftenAPromptEnds() {
        Waiting waiting = add("c-1", Long.MAX_VALUE);
        assertThat(outstanding.tryRoom()).isFalse();

        outstanding.complete("c-1", waiting, ANSWER);
        assertThat(waiting.future().join()).isSameAs(ANSWER);
        outstanding.complete("c-1", waiting, ANSWER);
        outstanding.fail("c-1", waiting, new PromptException.Closed("r-1", null));
        waiting.future().cancel(true);

        assertThat(waiting.future().join()).isSameAs(ANSWER);
        assertThat(outstanding.count()).isZero();
        assertThat(outstanding.tryRoom()).isTrue();
        assertThat(outstanding.tryRoom()).isFalse();
    }

    @Test
    void shouldGiveBackRoomOnceWhereACallerCancels() {
        Waiting waiting = add("c-1", Long.MAX_VALUE);
        waiting.future().cancel(true);
        outstanding.complete("c-1", waiting, ANSWER);

        assertThat(waiting.future()).isCancelled();
        assertThat(outstanding.count()).isZero();
        assertThat(outstanding.tryRoom()).isTrue();
        assertThat(outstanding.tryRoom()).isFalse();
    }

    /** {@link System#nanoTime} may be any number, and goes on from the largest to the smallest. */
    @Test
    void shouldEndWhatHasExpiredThoughTheClockWraps() {
        Waiting waiting = add("c-1", Long.MIN_VALUE + 5);
        outstanding.expire(Long.MAX_VALUE - 5);
        assertThat(outstanding.count()).isEqualTo(1);

        outstanding.expire(Long.MIN_VALUE + 5);
        assertThat(outstanding.count()).isZero();
        assertThat(outstanding.tryRoom()).isTrue();
        assertThatThrownBy(() -> waiting.future().join()).hasCauseInstanceOf(PromptException.TimedOut.class);
    }

    @Test
    void shouldNotLetACallbackDelayOthers() {
        Outstanding two = new Outstanding(2);
        CountDownLatch secondIsThere = new CountDownLatch(1);
        Waiting first = waiting(Long.MAX_VALUE);
        Waiting second = waiting(Long.MAX_VALUE);
        two.awaitRoom();
        two.add("c-1", first);
        two.awaitRoom();
        two.add("c-2", second);
        CompletableFuture<Void> blocked = first.future().thenAccept(answer -> waitFor(secondIsThere));
        CompletableFuture<Void> after = second.future().thenAccept(answer -> secondIsThere.countDown());

        two.complete("c-1", first, ANSWER);
        two.complete("c-2", second, ANSWER);
        CompletableFuture.allOf(blocked, after).join();
    }

    private static void waitFor(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new CompletionException(e);
        }
    }

    @Test
    void shouldSendAwayAllWhoWaitForRoomWhenItEnds() {
        outstanding.awaitRoom(); // whose prompt is not there yet
        List<CompletableFuture<Throwable>> sentAway =
                Stream.generate(CompletableFuture<Throwable>::new).limit(3).toList();
        List<Thread> waiting = sentAway.stream()
                .map(end -> Thread.ofPlatform().start(() -> end.complete(catchThrowable(outstanding::awaitRoom))))
                .toList();
        waiting.forEach(thread -> await().until(() -> thread.getState() == Thread.State.WAITING));

        outstanding.close();
        outstanding.endAll();

        assertThat(sentAway)
                .allSatisfy(end -> assertThat(end.join())
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("the client is closed"));
    }

    @Test
    void shouldWaitForCallbacks() throws Exception {
        Waiting waiting = add("c-1", Long.MAX_VALUE);
        CountDownLatch go = new CountDownLatch(1);
        CompletableFuture<Void> callback = waiting.future().thenAccept(answer -> waitFor(go));
        outstanding.complete("c-1", waiting, ANSWER);
        Thread closing = Thread.ofPlatform().start(() -> {
            try {
                outstanding.awaitCallbacks(Duration.ofSeconds(20));
            } catch (InterruptedException e) {
                throw new CompletionException(e);
            }
        });
        await().until(() -> closing.getState() == Thread.State.TIMED_WAITING);

        go.countDown();
        closing.join();
        assertThat(callback).isDone();
    }

    /** It had room before; whoever ended all the others has not seen it. */
    @Test
    void shouldEndWhatIsAddedTooLate() throws InterruptedException {
        outstanding.awaitRoom();
        outstanding.close();
        outstanding.endAll();
        outstanding.awaitCallbacks(Duration.ofSeconds(5));

        Waiting waiting = waiting(Long.MAX_VALUE);
        outstanding.add("c-1", waiting);

        assertThatThrownBy(() -> waiting.future().join()).hasCauseInstanceOf(PromptException.Closed.class);
        assertThat(outstanding.count()).isZero();
    }

    @Test
    void shouldSayWhyItStopped() {
        Waiting waiting = add("c-1", Long.MAX_VALUE);
        RuntimeException cause = new IllegalArgumentException("not authorized");
        outstanding.stop(cause);

        assertThatThrownBy(() -> waiting.future().join()).hasRootCause(cause);
        assertThatThrownBy(outstanding::requireOpen).hasCause(cause);
    }

    private Waiting add(String correlationId, long expiresNanos) {
        Waiting waiting = waiting(expiresNanos);
        outstanding.awaitRoom();
        outstanding.add(correlationId, waiting);
        return waiting;
    }

    private static Waiting waiting(long expiresNanos) {
        return new Waiting("r-1", "", Duration.ofSeconds(1), expiresNanos, new CompletableFuture<>());
    }
}
