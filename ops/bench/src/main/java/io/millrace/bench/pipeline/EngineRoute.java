package io.millrace.bench.pipeline;

import io.millrace.engine.Completion;
import io.millrace.engine.InferenceEngine;
import io.millrace.engine.Output;
import io.millrace.engine.Rejection;
import io.millrace.engine.SamplingParameters;
import io.millrace.streams.intake.RequestFactory;
import java.util.Optional;

/** Straight into the engine, without Kafka: the reference. */
final class EngineRoute implements Route {

    private static final double NANOS_PER_MILLI = 1e6;

    private final InferenceEngine engine;
    private final Endings endings;

    EngineRoute(InferenceEngine engine, Endings endings) {
        this.engine = engine;
        this.endings = endings;
    }

    @Override
    public void send(Prompt prompt) {
        Optional<Rejection> rejection = engine.submit(
                RequestFactory.request(
                        prompt.request().getRequestId(),
                        prompt.request(),
                        SamplingParameters.DEFAULT,
                        prompt.index(),
                        System.nanoTime()),
                completion -> ended(prompt.index(), completion));
        rejection.ifPresent(no -> endings.failed("the engine refused prompt " + prompt.index() + ": " + no.message()));
    }

    private void ended(int index, Completion completion) {
        long now = System.nanoTime();
        switch (completion) {
            case Completion.Completed done -> endings.ended(index, now, answer(done));
            case Completion.Failed failed -> endings.failed("prompt " + index + ": " + failed.message());
        }
    }

    private static Endings.Answer answer(Completion.Completed done) {
        String text = done.output() instanceof Output.Text output ? output.text() : "";
        return new Endings.Answer(text, done.timings().totalNanos() / NANOS_PER_MILLI);
    }

    /** The engine belongs to the bench. */
    @Override
    public void close() {}
}
