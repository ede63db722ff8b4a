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
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * A real model server on 127.0.0.1, to test and to measure against: llama.cpp's, vLLM or another.
 *
 * <p>It ends with this JVM, however that ends, and may be killed and started again on the same port.
 *
 * <p>Threads: any.
 */
public final class ModelServer implements AutoCloseable {

    private static final Duration START = Duration.ofMinutes(5);
    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final Duration PARTING = Duration.ofSeconds(20);
    private static final long LOOK_MS = 100;
    private static final int FREE_PORT_ATTEMPTS = 5;
    private static final int OK = 200;

    /**
     * Becomes the server, the first of its process group, and leaves a process behind that ends the group when our end of its
     * standard input closes: the server itself does not look at it.
     */
    private static final String WATCHED =
            "exec 3<&0; (cat <&3 >/dev/null; kill -TERM $$; sleep 5; kill -KILL -- -$$) 2>/dev/null &"
                    + " exec \"$@\" 3<&- </dev/null";

    /** As servers say it. */
    private static final Pattern PORT_TAKEN = Pattern.compile("couldn't bind|already in use");

    /** Python's own, which removes the shared memory of those that were killed, and ends then. */
    private static final String SWEEPER = "multiprocessing.resource_tracker";

    private final Command options;
    private final int port;
    private final HttpClient http;
    private volatile Process process;

    private ModelServer(Command options, int port, HttpClient http, Process process) {
        this.options = options;
        this.port = port;
        this.http = http;
        this.process = process;
    }

    /** Where the scripts of {@code ops/servers} put servers. */
    public static Path cache() {
        String home = System.getenv("MILLRACE_HOME");
        return home == null ? Path.of(System.getProperty("user.home"), ".cache", "millrace") : Path.of(home);
    }

    /** What is started. */
    public interface Command {

        /** The server's file. */
        Path binary();

        /** On 127.0.0.1; empty: a free one. */
        Optional<Integer> port();

        /** What it prints is added here. */
        Path log();

        /** Program and arguments. */
        List<String> commandLine(String host, int listenPort);

        /** Added to this process' own. */
        default Map<String, String> environment() {
            return Map.of();
        }

        /** Answers 200 when models are loaded. */
        default String readyPath() {
            return "/health";
        }

        /** What paths of the API begin with. */
        default String apiPath() {
            return "/v1";
        }
    }

    /**
     * Starts it, and returns when it has loaded its model.
     *
     * @throws IllegalStateException it ends or does not get ready in time; the message has the end of its log
     */
    public static ModelServer start(Command options) throws InterruptedException {
        HttpClient http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(ANSWER)
                .build();
        for (int attempt = 1; ; attempt++) {
            int port = options.port().orElseGet(Ports::free);
            var server = new ModelServer(options, port, http, launch(options, port));
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

    private static Process launch(Command options, int port) {
        List<String> line = new ArrayList<>(List.of("setsid", "sh", "-c", WATCHED, "model-server"));
        line.addAll(options.commandLine(Ports.LOOPBACK, port));
        try {
            var builder = new ProcessBuilder(line)
                    .redirectErrorStream(true)
                    .redirectOutput(
                            ProcessBuilder.Redirect.appendTo(options.log().toFile()));
            builder.environment().putAll(options.environment());
            return builder.start();
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
            return get(options.readyPath()).statusCode() == OK;
        } catch (IOException e) {
            return false; // not listening yet
        }
    }

    private static boolean isBindFailure(Command options) {
        return PORT_TAKEN.matcher(logEnd(options)).find();
    }

    private static String logEnd(Command options) {
        try {
            List<String> lines = Files.readAllLines(options.log());
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Where it serves its API: {@code http://127.0.0.1:PORT/v1}, or what {@link Command#apiPath} says. */
    public URI url() {
        return URI.create("http://" + Ports.LOOPBACK + ":" + port + options.apiPath());
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
    public ServerMetrics.Load load() throws IOException, InterruptedException {
        return ServerMetrics.load(get("/metrics").body());
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(url().resolve(path)).timeout(ANSWER).build();
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL to all of its processes, and waits for the end. */
    public void kill() {
        List<ProcessHandle> all = process.descendants()
                .filter(each -> !each.info().commandLine().orElse("").contains(SWEEPER))
                .toList();
        process.destroyForcibly();
        all.forEach(ProcessHandle::destroyForcibly);
        process.onExit().join();
    }

    /** Starts it again on the same port after {@link #kill}, and returns when it has loaded its model. */
    public void restart() throws InterruptedException {
        process = launch(options, port);
        awaitReady();
    }

    /** SIGTERM, and SIGKILL if that does not help soon. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(PARTING.toSeconds(), TimeUnit.SECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            kill();
            Thread.currentThread().interrupt();
        }
        http.shutdownNow();
    }
}
