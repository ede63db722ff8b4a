package io.millrace.remote;

import io.millrace.engine.Completion;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls what waits for completions, one after another.
 *
 * <p>Threads: any thread hands over; one of its own calls. After {@link #close} has returned none is called.
 */
final class Callbacks implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Callbacks.class);

    /** A callback returns quickly; one that hangs must not keep the process. */
    private static final long MOST_SECONDS_TO_CLOSE = 5;

    private final ExecutorService executor;
    private volatile @Nullable Thread thread;
    private volatile boolean closed;

    Callbacks(String modelName) {
        executor = Executors.newSingleThreadExecutor(task -> {
            Thread made = Thread.ofPlatform()
                    .name("millrace-engine-" + modelName)
                    .daemon()
                    .unstarted(task);
            thread = made;
            return made;
        });
    }

    void call(Consumer<? super Completion> callback, Completion completion) {
        try {
            executor.execute(() -> {
                if (!closed) {
                    run(callback, completion);
                }
            });
        } catch (RejectedExecutionException e) {
            log.debug("closed before request {} was completed", completion.requestId(), e);
        }
    }

    private static void run(Consumer<? super Completion> callback, Completion completion) {
        try {
            callback.accept(completion);
        } catch (RuntimeException e) {
            log.error("the callback of request {} threw", completion.requestId(), e);
        }
    }

    @Override
    public void close() {
        closed = true;
        executor.shutdown();
        if (Thread.currentThread() == thread) {
            return;
        }
        try {
            if (!executor.awaitTermination(MOST_SECONDS_TO_CLOSE, TimeUnit.SECONDS)) {
                log.warn("a callback has not returned for {} s", MOST_SECONDS_TO_CLOSE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
