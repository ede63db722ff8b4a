package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Completion;
import io.millrace.engine.FailureCode;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CallbacksTest {

    private static final Completion COMPLETION = Completion.Failed.of("r", FailureCode.CANCELLED, "x");

    @Test
    void shouldCallNoneOfThoseInLineAfterOneHasClosedIt() throws Exception {
        Callbacks callbacks = new Callbacks("m");
        CompletableFuture<Void> inLine = new CompletableFuture<>();
        CompletableFuture<Void> closed = new CompletableFuture<>();
        AtomicInteger more = new AtomicInteger();
        callbacks.call(
                _ -> {
                    inLine.join();
                    callbacks.close(); // does not wait for itself
                    closed.complete(null);
                },
                COMPLETION);
        for (int i = 0; i < 10; i++) {
            callbacks.call(_ -> more.incrementAndGet(), COMPLETION);
        }
        inLine.complete(null);

        closed.get(4, TimeUnit.SECONDS);
        callbacks.close();
        assertThat(more).hasValue(0);
    }
}
