package io.millrace.bench.pipeline;

import io.millrace.engine.InferenceEngine;
import io.millrace.engine.SamplingParameters;
import io.millrace.streams.ProcessorObserver;
import io.millrace.streams.app.ProcessorApp;
import io.millrace.streams.app.ProcessorHooks;
import io.millrace.streams.app.ProcessorSettings;
import io.millrace.streams.intake.ServedModel;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Through the processor as it is shipped. */
final class PipelineRoute implements Route {

    private static final Duration START = Duration.ofMinutes(2);
    private static final Duration DRAIN = Duration.ofSeconds(10);

    private final ProcessorApp app;
    private final KafkaRoute route;

    /** Joins the group, and returns when its tasks run. */
    PipelineRoute(
            BenchKafka kafka,
            ProcessorSettings settings,
            InferenceEngine engine,
            ProcessorObserver observer,
            Endings endings)
            throws InterruptedException {
        app = ProcessorApp.start(
                settings,
                Map.of(settings.defaultModel(), new ServedModel(engine, SamplingParameters.DEFAULT)),
                ProcessorHooks.of(observer));
        if (!app.awaitRunning(START)) {
            app.close();
            throw new IllegalStateException("the processor did not start within " + START);
        }
        route = new KafkaRoute(
                kafka,
                settings.promptsTopic(),
                List.of(
                        settings.outputs().results(),
                        settings.outputs().failures(),
                        settings.outputs().deadLetters()),
                KafkaRoute.Contents.ENDINGS,
                endings);
    }

    @Override
    public void send(Prompt prompt) {
        route.send(prompt);
    }

    @Override
    public void close() {
        var _ = app.close(DRAIN);
        route.close();
    }
}
