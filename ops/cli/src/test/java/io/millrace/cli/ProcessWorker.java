package io.millrace.cli;

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
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;

/** {@code millrace process} in a JVM of its own, watched through its metrics. */
final class ProcessWorker implements AutoCloseable {

    private final Process process;
    private final Path log;
    private final URI metrics;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    private ProcessWorker(Process process, Path log, int port) {
        this.process = process;
        this.log = log;
        this.metrics = URI.create("http://127.0.0.1:" + port + "/metrics");
    }

    static ProcessWorker start(String name, Path config, Path folder) throws IOException {
        int port = freePort();
        Path log = folder.resolve(name + ".log");
        var builder = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules=jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx768m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "process",
                        "--config",
                        config.toString()))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("MILLRACE_TEST_PORT", Integer.toString(port));
        return new ProcessWorker(builder.start(), log, port);
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
            throw new IllegalStateException("the worker ended with " + process.exitValue() + ":\n" + log());
        }
        String text = scrape();
        OptionalDouble tokens = value(text, "millrace_engine_generation_tokens_total");
        OptionalDouble steps = value(text, "millrace_engine_steps_total");
        return tokens.isPresent()
                && steps.isPresent()
                && tokens.getAsDouble() > (count - 1) * steps.getAsDouble()
                && value(text, "millrace_num_requests_running").orElse(0) >= count;
    }

    /** Requests that run in its engine. */
    double running() throws IOException, InterruptedException {
        if (!process.isAlive()) {
            throw new IllegalStateException("the worker ended with " + process.exitValue() + ":\n" + log());
        }
        return value(scrape(), "millrace_num_requests_running").orElse(0);
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
            return Files.readString(log);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** SIGKILL. */
    void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** SIGTERM, and waits for the end. */
    void terminate() {
        process.destroy();
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the worker does not end on SIGTERM:\n" + log());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        kill();
    }
}
