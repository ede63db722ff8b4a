package io.millrace.servers;

import io.millrace.devstack.ModelServer;
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
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * A real server of the Open Inference Protocol on 127.0.0.1 with the models of {@code ops/servers}: NVIDIA's Triton or KServe's. It
 * may be killed and started again on the same ports, and ends with this JVM.
 */
public final class InferenceServer implements AutoCloseable {

    private static final Path SCRIPTS =
            Path.of("..", "servers").toAbsolutePath().normalize();
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final Options options;
    private final ModelServer server;

    private InferenceServer(Options options, ModelServer server) {
        this.options = options;
        this.server = server;
    }

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
            return Optional.of(ModelServer.cache().resolve(place.formatted(version())))
                    .filter(Files::isExecutable);
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

    /**
     * How it runs.
     *
     * @param memory what the names of its shared memory begin with
     * @param metricsPort of Triton
     */
    private record Options(Kind kind, Path log, String memory, int metricsPort) implements ModelServer.Command {

        @Override
        public Path binary() {
            return kind.find().orElseThrow();
        }

        @Override
        public Optional<Integer> port() {
            return Optional.empty();
        }

        @Override
        public String readyPath() {
            return "/v2/health/ready";
        }

        @Override
        public String apiPath() {
            return "";
        }

        @Override
        public List<String> commandLine(String host, int port) {
            return switch (kind) {
                case TRITON ->
                    List.of(
                            binary().toString(),
                            "--model-repository=" + SCRIPTS.resolve("triton"),
                            "--http-address=" + host,
                            "--http-port=" + port,
                            "--metrics-address=" + host,
                            "--metrics-port=" + metricsPort,
                            "--metrics-interval-ms=100",
                            "--allow-grpc=false",
                            "--backend-config=python,shm-region-prefix-name=" + memory);
                case KSERVE ->
                    List.of(
                            binary().toString(),
                            SCRIPTS.resolve("kserve/server.py").toString(),
                            Integer.toString(port));
            };
        }
    }

    /** Starts it, and returns when it and its models are ready. */
    public static InferenceServer start(Kind kind, Path log) throws InterruptedException {
        var options = new Options(kind, log, "millrace-" + UUID.randomUUID(), freePort());
        return new InferenceServer(options, ModelServer.start(options));
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The address before {@code /v2}. */
    public URI url() {
        return server.url();
    }

    /** Triton has a port of its own for them. */
    public URI metricsUrl() {
        return options.kind == Kind.TRITON
                ? URI.create("http://127.0.0.1:" + options.metricsPort + "/metrics")
                : server.metricsUrl();
    }

    /** What a client of its own gets. */
    CompletableFuture<HttpResponse<String>> post(String path, String body) {
        HttpRequest request = HttpRequest.newBuilder(url().resolve(path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return HTTP.sendAsync(request, HttpResponse.BodyHandlers.ofString());
    }

    /** Kills the process in which Triton runs a python model. */
    void killProcessOf(String model) {
        List<ProcessHandle> stubs = ProcessHandle.of(server.pid()).stream()
                .flatMap(ProcessHandle::descendants)
                .filter(each -> each.info().commandLine().orElse("").contains("/" + model + "/1/model.py"))
                .toList();
        if (stubs.isEmpty()) {
            throw new IllegalStateException("model=" + model + ", expected=one with a process");
        }
        stubs.forEach(ProcessHandle::destroyForcibly);
    }

    /** SIGKILL, to its models' processes too, and waits for the end. */
    void kill() {
        server.kill();
    }

    /** Starts it again after {@link #kill}, and returns when it is ready. */
    void restart() throws InterruptedException {
        server.restart();
    }

    /** What a killed Triton left in shared memory is deleted. */
    @Override
    public void close() {
        server.close();
        Path shared = Path.of("/dev/shm");
        if (options.kind != Kind.TRITON || !Files.isDirectory(shared)) {
            return;
        }
        try (DirectoryStream<Path> left = Files.newDirectoryStream(shared, options.memory + "*")) {
            for (Path each : left) {
                Files.deleteIfExists(each);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
