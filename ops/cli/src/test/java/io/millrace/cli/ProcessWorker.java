package io.millrace.cli;

import io.millrace.devstack.ChildJvm;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** {@code millrace process} in a JVM of its own, watched through its metrics. */
final class ProcessWorker implements AutoCloseable {

    private final ChildJvm process;
    private final URI metrics;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    private ProcessWorker(ChildJvm process, int port) {
        this.process = process;
        this.metrics = URI.create("http://127.0.0.1:" + port + "/metrics");
    }

    static ProcessWorker start(String name, Path config, Path folder) throws IOException {
        int port = freePort();
        var command = new ChildJvm.Command(
                name,
                Main.class.getName(),
                List.of(
                        "--add-modules=jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx768m",
                        "-XX:+UseSerialGC"),
                List.of("process", "--config", config.toString()),
                Map.of("MILLRACE_TEST_PORT", Integer.toString(port)),
                folder.resolve(name + ".log"));
        return new ProcessWorker(ChildJvm.start(command), port);
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /**
     * Whether at least so many sequences have drawn a token, told from counters alone: a step draws at most one token for each
     * sequence, so more tokens than {@code (count - 1)} sequences could have drawn in all steps are those of {@code count}.
     */
    boolean sequencesWithATokenAtLeast(int count) throws IOException, InterruptedException {
        if (!process.isAlive()) {
            throw new IllegalStateException("the worker ended:\n" + log());
        }
        String text = scrape();
        OptionalDouble tokens = value(text, "millrace_engine_generation_tokens_total");
        OptionalDouble steps = value(text, "millrace_engine_steps_total");
        return tokens.isPresent()
                && steps.isPresent()
                && tokens.getAsDouble() > (count - 1) * steps.getAsDouble()
                && value(text, "millrace_num_requests_running").orElse(0) >= count;
    }

    private String scrape() throws IOException, InterruptedException {
        try {
            var request = HttpRequest.newBuilder(metrics)
                    .timeout(Duration.ofSeconds(5))
                    .build();
            return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
        } catch (java.net.ConnectException | java.net.http.HttpTimeoutException e) {
            return ""; // not up yet
        }
    }

    private static OptionalDouble value(String metrics, String name) {
        return metrics.lines()
                .filter(line -> line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst();
    }

    String log() {
        try {
            return Files.readString(process.log());
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** SIGKILL. */
    void kill() {
        process.kill();
    }

    /** SIGTERM, and waits for the end. */
    void terminate() {
        if (!process.stop(Duration.ofSeconds(60))) {
            throw new IllegalStateException("the worker does not end on SIGTERM:\n" + log());
        }
    }

    @Override
    public void close() {
        kill();
    }
}
