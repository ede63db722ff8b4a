package io.millrace.streams.faults;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Rejection;
import io.millrace.streams.testing.TestEngine;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** An engine that breaks the SPI's promise: {@code submit} of the prompt {@code block} does not return until it is released. */
final class BlockingEngine implements InferenceEngine {

    private final TestEngine engine = TestEngine.immediate();
    private final CountDownLatch released = new CountDownLatch(1);
    private final AtomicInteger blocked = new AtomicInteger();

    /** Calls that have not returned, or had not until the release. */
    int blocked() {
        return blocked.get();
    }

    void release() {
        released.countDown();
    }

    @Override
    public ModelInfo model() {
        return engine.model();
    }

    @Override
    public Optional<Rejection> submit(InferenceRequest request, Consumer<? super Completion> onCompletion) {
        if (TestEngine.text(request).equals("block")) {
            blocked.incrementAndGet();
            try {
                released.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return engine.submit(request, onCompletion);
    }

    @Override
    public void cancel(String requestId) {
        engine.cancel(requestId);
    }

    @Override
    public EngineStats stats() {
        return engine.stats();
    }

    @Override
    public void close() {
        engine.close();
    }
}
