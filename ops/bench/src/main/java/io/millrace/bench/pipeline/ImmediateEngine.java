package io.millrace.bench.pipeline;

import io.millrace.engine.Completion;
import io.millrace.engine.EngineStats;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.ModelInfo;
import io.millrace.engine.Output;
import io.millrace.engine.Rejection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/** An engine that answers at once, so that what is left is what the pipeline adds. */
final class ImmediateEngine implements InferenceEngine {

    private static final ModelInfo MODEL = new ModelInfo("immediate", Optional.empty(), Optional.empty(), 1024);

    private final ExecutorService thread = Executors.newSingleThreadExecutor();

    @Override
    public ModelInfo model() {
        return MODEL;
    }

    @Override
    public Optional<Rejection> submit(InferenceRequest request, Consumer<? super Completion> onCompletion) {
        thread.execute(() -> onCompletion.accept(new Completion.Completed(
                request.id(),
                MODEL,
                Optional.empty(),
                new Output.Text("at once", List.of(), List.of(), List.of()),
                Completion.FinishReason.STOP,
                new Completion.Usage(1, 0, 1),
                new Completion.Timings(0, 0, 0, 0, 0),
                new Completion.BatchShare(1, 1, 1, 0))));
        return Optional.empty();
    }

    @Override
    public void cancel(String requestId) {}

    @Override
    public EngineStats stats() {
        return new EngineStats(true, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
