package io.millrace.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Completion;
import io.millrace.engine.Completion.Completed;
import io.millrace.engine.Completion.Failed;
import io.millrace.engine.InferenceRequest;
import io.millrace.engine.Input;
import io.millrace.engine.Operation;
import io.millrace.engine.Output;
import io.millrace.engine.Rejection;
import io.millrace.engine.SamplingParameters;
import io.millrace.remote.RemoteOptions.Connection;
import io.millrace.remote.RemoteOptions.Retries;
import io.millrace.remote.RemoteOptions.Server;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;

/** A remote engine with short pauses, and futures for its completions. */
final class TestEngine implements AutoCloseable {

    private static final int MOST_SECONDS = 20;

    private final RemoteEngine engine;
    private int submitted;

    private TestEngine(RemoteEngine engine) {
        this.engine = engine;
    }

    /** An engine before these endpoints: {@code a}, {@code b}, … */
    static TestEngine before(List<URI> urls, UnaryOperator<RemoteOptions.Builder> change) {
        List<Server> servers = urls.stream()
                .map(url -> Server.of(String.valueOf((char) ('a' + urls.indexOf(url))), url))
                .toList();
        RemoteOptions.Builder options =
                RemoteOptions.builder("served").endpoints(servers).retries(retries(3));
        return new TestEngine(RemoteEngine.open("m", change.apply(options).build()));
    }

    static TestEngine before(URI url) {
        return before(List.of(url), UnaryOperator.identity());
    }

    static Retries retries(int maxAttempts) {
        return new Retries(maxAttempts, 1, Duration.ofMillis(10), Duration.ofMillis(50));
    }

    static Connection headers(Map<String, String> headers, Map<String, Secret> secrets) {
        Connection d = Connection.DEFAULT;
        return new Connection(
                headers,
                secrets,
                d.tls(),
                d.proxy(),
                d.version(),
                d.connectTimeout(),
                d.readTimeout(),
                d.totalTimeout(),
                d.maxResponseBytes());
    }

    static Connection timeouts(Duration read, Duration total) {
        Connection d = Connection.DEFAULT;
        return new Connection(
                d.headers(),
                d.secretHeaders(),
                d.tls(),
                d.proxy(),
                d.version(),
                d.connectTimeout(),
                read,
                total,
                d.maxResponseBytes());
    }

    RemoteEngine engine() {
        return engine;
    }

    CompletableFuture<Completion> chat(String text) {
        return submit(request(Operation.CHAT, text, SamplingParameters.DEFAULT, Optional.empty()));
    }

    InferenceRequest request(
            Operation operation, String text, SamplingParameters sampling, Optional<Instant> deadline) {
        return new InferenceRequest(
                "r" + submitted++,
                operation,
                new Input.Text(text),
                sampling,
                Optional.empty(),
                7,
                0,
                "",
                deadline,
                System.nanoTime());
    }

    CompletableFuture<Completion> submit(InferenceRequest request) {
        CompletableFuture<Completion> future = new CompletableFuture<>();
        Optional<Rejection> rejection = engine.submit(request, future::complete);
        assertThat(rejection).as("rejection").isEmpty();
        return future;
    }

    static Completed completed(CompletableFuture<Completion> future) {
        Completion completion = end(future);
        assertThat(completion).isInstanceOf(Completed.class);
        return (Completed) completion;
    }

    static String text(CompletableFuture<Completion> future) {
        return ((Output.Text) completed(future).output()).text();
    }

    static Failed failed(CompletableFuture<Completion> future) {
        Completion completion = end(future);
        assertThat(completion).isInstanceOf(Failed.class);
        return (Failed) completion;
    }

    private static Completion end(CompletableFuture<Completion> future) {
        try {
            return future.get(MOST_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("no completion", e);
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
