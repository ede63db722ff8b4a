package io.millrace.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A real server of the Open Inference Protocol on 127.0.0.1 with the models of {@code ops/servers}: NVIDIA's Triton or KServe's. It
 * may be killed and started again on the same ports, and ends with this JVM.
 */
public final class InferenceServer implements AutoCloseable {

    private static final Path SCRIPTS =
            Path.of("..", "servers").toAbsolutePath().normalize();
    private static final Duration START = Duration.ofMinutes(2);
    private static final int PORT_ATTEMPTS = 5;

    /**
     * As {@link io.millrace.devstack.ModelServer} does: a process stays behind that kills the server when our end of its standard input closes; and its
     * whole group, since Triton's models are processes of their own, which may outlive it.
     */
    private static final String WATCHED =
            "exec 3<&0; (cat <&3 >/dev/null; kill -KILL -- -$$ 2>/dev/null) & exec \"$@\" 3<&- </dev/null";

    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final Kind kind;
    private final Path binary;
    private final Path log;
    private final String memory = "millrace-" + UUID.randomUUID();
    private final int port = freePort();
    private final int metricsPort = freePort();
    private Process process;

    /** Which server. */
    public enum Kind {
        TRITON("nvidia-pytriton", "triton/%s/tritonserver"),
        KSERVE("kserve", "kserve/%s/venv/bin/python");

        private final String requirement;
        private final String place;

        Kind(String requirement, String place) {
            this.requirement = requirement;
            this.place = place;
        }

        private String script() {
            return "install-" + name().toLowerCase(Locale.ROOT) + ".sh";
        }

        /** Where the script has installed it, if it has. */
        public Optional<Path> find() {
            String home = System.getenv("MILLRACE_HOME");
            Path cache = home == null ? Path.of(System.getProperty("user.home"), ".cache", "millrace") : Path.of(home);
            return Optional.of(cache.resolve(place.formatted(version()))).filter(Files::isExecutable);
        }

        private String version() {
            Path file = SCRIPTS.resolve("requirements-" + name().toLowerCase(Locale.ROOT) + ".txt");
            try (var lines = Files.lines(file)) {
                return lines.filter(line -> line.startsWith(requirement + "=="))
                        .map(line -> line.substring(requirement.length() + 2).split(" ", 2)[0])
                        .findFirst()
                        .orElseThrow();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** What a test that is skipped says. */
        public String missing() {
            return "no " + name() + ": ops/servers/" + script() + " installs it, make test-servers too";
        }
    }

    private InferenceServer(Kind kind, Path log) {
        this.kind = kind;
        this.binary = kind.find().orElseThrow();
        this.log = log;
        this.process = launch();
    }

    /** Starts it, and returns when it and its models are ready. */
    public static InferenceServer start(Kind kind, Path log) {
        for (int attempt = 1; ; attempt++) {
            InferenceServer server = new InferenceServer(kind, log);
            try {
                server.awaitReady();
                return server;
            } catch (IllegalStateException e) {
                server.close();
                if (attempt == PORT_ATTEMPTS) { // another may have taken a port meanwhile
                    throw e;
                }
            }
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<String> arguments() {
        return switch (kind) {
            case TRITON ->
                List.of(
                        "--model-repository=" + SCRIPTS.resolve("triton"),
                        "--http-address=127.0.0.1",
                        "--http-port=" + port,
                        "--metrics-address=127.0.0.1",
                        "--metrics-port=" + metricsPort,
                        "--metrics-interval-ms=100",
                        "--allow-grpc=false",
                        "--backend-config=python,shm-region-prefix-name=" + memory);
            case KSERVE -> List.of(SCRIPTS.resolve("kserve/server.py").toString(), Integer.toString(port));
        };
    }

    private Process launch() {
        List<String> line = new ArrayList<>(List.of("setsid", "sh", "-c", WATCHED, "server", binary.toString()));
        line.addAll(arguments());
        try {
            return new ProcessBuilder(line)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitReady() {
        try {
            Awaitility.await()
                    .atMost(START)
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> !process.isAlive() || isReady());
        } catch (ConditionTimeoutException e) {
            throw new IllegalStateException("not ready within " + START + "; see " + log, e);
        }
        if (!process.isAlive()) {
            throw new IllegalStateException("exit code " + process.exitValue() + "; see " + log);
        }
    }

    private boolean isReady() {
        try {
            return get(url().resolve("/v2/health/ready")).statusCode() == 200;
        } catch (IOException e) {
            return false; // not listening yet
        }
    }

    /** The address before {@code /v2}. */
    public URI url() {
        return URI.create("http://127.0.0.1:" + port);
    }

    /** Triton has a port of its own for them. */
    public URI metricsUrl() {
        return URI.create("http://127.0.0.1:" + (kind == Kind.TRITON ? metricsPort : port) + "/metrics");
    }

    private static HttpResponse<String> get(URI uri) throws IOException {
        try {
            HttpRequest request =
                    HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(30)).build();
            return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What a client of its own gets. */
    CompletableFuture<HttpResponse<String>> post(String path, String body) {
        HttpRequest request = HttpRequest.newBuilder(url().resolve(path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return HTTP.sendAsync(request, HttpResponse.BodyHandlers.ofString());
    }

    /** SIGKILL, to its models' processes too, and waits for the end. */
    public void kill() {
        List<ProcessHandle> models = process.descendants().toList();
        process.destroyForcibly();
        models.forEach(ProcessHandle::destroyForcibly);
        process.onExit().join();
    }

    /** Starts it again after {@link #kill}, and returns when it is ready. */
    public void restart() {
        process = launch();
        awaitReady();
    }

    /** SIGTERM, so that it takes its shared memory with it; what a killed one left is deleted. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            kill();
            Thread.currentThread().interrupt();
        }
        Path shared = Path.of("/dev/shm");
        if (kind != Kind.TRITON || !Files.isDirectory(shared)) {
            return;
        }
        try (DirectoryStream<Path> left = Files.newDirectoryStream(shared, memory + "*")) {
            for (Path each : left) {
                Files.deleteIfExists(each);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
