package io.millrace.devstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * llama.cpp's own HTTP server on 127.0.0.1: a real OpenAI-compatible server with continuous batching, to test and to measure
 * against. {@code ops/servers/build-llama-server.sh} builds it.
 *
 * <p>It ends with this JVM, however that ends, and may be killed and started again on the same port.
 *
 * <p>Threads: any.
 */
public final class LlamaServer implements AutoCloseable {

    /** Of the package that it is built from. */
    public static final String VERSION = "0.3.36";

    /** Names another server to use than the one that the script built. */
    public static final String VARIABLE = "MILLRACE_LLAMA_SERVER";

    private static final Duration START = Duration.ofMinutes(2);
    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final long LOOK_MS = 100;
    private static final int FREE_PORT_ATTEMPTS = 5;
    private static final int OK = 200;

    /**
     * Becomes the server, and leaves a process behind that kills it when our end of its standard input closes: the server itself
     * does not look at it.
     */
    private static final String WATCHED =
            "exec 3<&0; (cat <&3 >/dev/null; kill -KILL $$ 2>/dev/null) & exec \"$@\" 3<&- </dev/null";

    private final LlamaServerOptions options;
    private final int port;
    private final HttpClient http;
    private volatile Process process;

    private LlamaServer(LlamaServerOptions options, int port, HttpClient http, Process process) {
        this.options = options;
        this.port = port;
        this.http = http;
        this.process = process;
    }

    /**
     * What it is doing.
     *
     * @param processing requests that have a slot
     * @param deferred requests that wait for one: the server's own queue
     * @param promptTokens computed since its start
     * @param generatedTokens drawn since its start
     */
    public record Load(int processing, int deferred, long promptTokens, long generatedTokens) {}

    /** The server that was built on this machine, if there is one. */
    public static Optional<Path> find() {
        String named = System.getenv(VARIABLE);
        if (named != null) {
            return Optional.of(Path.of(named));
        }
        String home = System.getenv("MILLRACE_HOME");
        Path cache = home == null ? Path.of(System.getProperty("user.home"), ".cache", "millrace") : Path.of(home);
        return Optional.of(cache.resolve("llama-server").resolve(VERSION).resolve("llama-server"))
                .filter(Files::isExecutable);
    }

    /**
     * Starts it, and returns when it has loaded its model.
     *
     * @throws IllegalStateException it ends or does not get ready in time; the message has the end of its log
     */
    public static LlamaServer start(LlamaServerOptions options) throws InterruptedException {
        HttpClient http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(ANSWER)
                .build();
        for (int attempt = 1; ; attempt++) {
            int port = options.port().orElseGet(Ports::free);
            var server = new LlamaServer(options, port, http, launch(options, port));
            try {
                server.awaitReady();
                return server;
            } catch (IllegalStateException e) {
                server.close();
                if (options.port().isPresent() || attempt == FREE_PORT_ATTEMPTS || !isBindFailure(options)) {
                    throw e;
                }
            }
        }
    }

    private static Process launch(LlamaServerOptions options, int port) {
        List<String> line = new ArrayList<>(List.of("sh", "-c", WATCHED, "llama-server"));
        line.addAll(options.commandLine(Ports.LOOPBACK, port));
        try {
            return new ProcessBuilder(line)
                    .redirectErrorStream(true)
                    .redirectOutput(
                            ProcessBuilder.Redirect.appendTo(options.log().toFile()))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + options.binary(), e);
        }
    }

    private void awaitReady() throws InterruptedException {
        long end = System.nanoTime() + START.toNanos();
        while (!isHealthy()) {
            if (!process.isAlive() || System.nanoTime() > end) {
                String state = process.isAlive() ? "not ready within " + START : "exit code " + process.exitValue();
                throw new IllegalStateException(options.binary() + ": " + state
                        + ", expected=a server that is ready; its log ends so:\n" + logEnd(options));
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_MS);
        }
    }

    private boolean isHealthy() throws InterruptedException {
        try {
            return get("/health").statusCode() == OK;
        } catch (IOException e) {
            return false; // not listening yet
        }
    }

    private static boolean isBindFailure(LlamaServerOptions options) {
        return logEnd(options).contains("couldn't bind");
    }

    private static String logEnd(LlamaServerOptions options) {
        try {
            List<String> lines = Files.readAllLines(options.log());
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Where it serves OpenAI's API: {@code http://127.0.0.1:PORT/v1}. */
    public URI url() {
        return URI.create("http://" + Ports.LOOPBACK + ":" + port + "/v1");
    }

    /** Where it serves its metrics. */
    public URI metricsUrl() {
        return URI.create("http://" + Ports.LOOPBACK + ":" + port + "/metrics");
    }

    /** Of its process. */
    public long pid() {
        return process.pid();
    }

    /**
     * By its own metrics. It answers between two steps.
     *
     * @throws IOException it does not answer
     */
    public Load load() throws IOException, InterruptedException {
        String text = get("/metrics").body();
        return new Load(
                (int) metric(text, "llamacpp:requests_processing"),
                (int) metric(text, "llamacpp:requests_deferred"),
                (long) metric(text, "llamacpp:prompt_tokens_total"),
                (long) metric(text, "llamacpp:tokens_predicted_total"));
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(url().resolve(path)).timeout(ANSWER).build();
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    static double metric(String text, String name) throws IOException {
        return text.lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElseThrow(() -> new IOException("metric=" + name + ", expected=one that the server shows"));
    }

    /** CPU time that it has used since it was started last. */
    public Duration cpuTime() {
        return process.toHandle().info().totalCpuDuration().orElse(Duration.ZERO);
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL, and waits for the end. */
    public void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** Starts it again on the same port after {@link #kill}, and returns when it has loaded its model. */
    public void restart() throws InterruptedException {
        process = launch(options, port);
        awaitReady();
    }

    /** Kills it: it has nothing to save. */
    @Override
    public void close() {
        kill();
        http.shutdownNow();
    }
}
