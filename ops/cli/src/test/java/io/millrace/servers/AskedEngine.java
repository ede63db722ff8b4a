package io.millrace.servers;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.RemoteEngine;
import io.millrace.remote.RemoteOptions;
import io.millrace.remote.RemoteOptions.OpenInference;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.protocol.OpenInferenceProtocol.Method;
import io.millrace.remote.protocol.OpenInferenceProtocol.Tensors;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/** A remote engine before a server of the Open Inference Protocol, and futures for what it is asked. */
final class AskedEngine implements AutoCloseable {

    static final Duration PATIENCE = Duration.ofMinutes(3);

    private final RemoteEngine engine;
    private int asked;

    private AskedEngine(RemoteEngine engine) {
        this.engine = engine;
    }

    /** Text in the tensor {@code TEXT}, out of {@code output}. */
    static AskedEngine infer(InferenceServer server, String model, List<Integer> shape, String output) {
        return of(server, model, Method.INFER, new Tensors("TEXT", shape, output), UnaryOperator.identity());
    }

    static AskedEngine of(
            InferenceServer server,
            String model,
            Method method,
            Tensors tensors,
            UnaryOperator<RemoteOptions.Builder> change) {
        RemoteOptions.Builder options = RemoteOptions.builder(model)
                .dialect(new OpenInference(method, tensors))
                .endpoints(List.of(new Server(
                        "real",
                        server.url(),
                        Integer.MAX_VALUE,
                        OptionalLong.empty(),
                        Optional.of(server.metricsUrl()))));
        return new AskedEngine(RemoteEngine.open("model", change.apply(options).build()));
    }

    RemoteEngine engine() {
        return engine;
    }

    CompletableFuture<Completion> ask(Operation operation, String text) {
        return ask(operation, text, SamplingParameters.DEFAULT, "{}", Optional.empty());
    }

    /** The requests' ids are their numbers, from 0 on. */
    CompletableFuture<Completion> ask(
            Operation operation,
            String text,
            SamplingParameters sampling,
            String extraBody,
            Optional<Instant> deadline) {
        var completion = new CompletableFuture<Completion>();
        assertThat(engine.submit(
                        new InferenceRequest(
                                Integer.toString(asked++),
                                operation,
                                new Input.Text(text),
                                sampling,
                                extraBody.equals("{}") ? Optional.empty() : Optional.of(extraBody),
                                1,
                                0,
                                "",
                                deadline,
                                System.nanoTime()),
                        completion::complete))
                .isEmpty();
        return completion;
    }

    static Completed completed(CompletableFuture<Completion> completion) {
        return switch (join(completion)) {
            case Completed done -> done;
            case Failed failed -> throw new AssertionError(failed.toString());
        };
    }

    static Failed failed(CompletableFuture<Completion> completion) {
        return switch (join(completion)) {
            case Completed done -> throw new AssertionError(done.toString());
            case Failed failed -> failed;
        };
    }

    private static Completion join(CompletableFuture<Completion> completion) {
        return completion.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
    }

    static String text(Completed answer) {
        return ((Output.Text) answer.output()).text();
    }

    static List<Float> vector(Completed answer) {
        return ((Output.Embedding) answer.output()).vector();
    }

    @Override
    public void close() {
        engine.close();
    }
}
