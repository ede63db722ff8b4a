package io.millrace.devstack;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A real schema registry, Apicurio's, in a JVM of its own that ends with this one. It listens on 127.0.0.1 only and checks that new
 * schemas read the data of old ones (BACKWARD).
 *
 * <p>Threads: any; {@link #start} and {@link #close} block.
 */
public final class SchemaRegistryServer implements AutoCloseable {

    /** What its jar's manifest names. */
    private static final String REGISTRY = "io.quarkus.bootstrap.runner.QuarkusEntryPoint";

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final Duration ONE_ANSWER = Duration.ofSeconds(2);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(200);
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(15);

    /** Quick to start and small; it serves one developer. */
    private static final List<String> JVM_OPTIONS = List.of(
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx384m",
            "--enable-native-access=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED");

    private final ChildJvm process;
    private final int port;

    private SchemaRegistryServer(ChildJvm process, int port) {
        this.process = process;
        this.port = port;
    }

    /**
     * Starts it and returns when it answers.
     *
     * @param distribution {@link RegistryDistribution}'s folder
     * @param directory where it keeps schemas and log, created if missing; started there again it knows what it knew
     * @param port of 127.0.0.1, 1 to 65535; empty: a free one
     * @throws RegistryStartException if it does not answer in time or ends
     */
    public static SchemaRegistryServer start(Path distribution, Path directory, OptionalInt port)
            throws InterruptedException {
        port.ifPresent(Ports::requireFree);
        int httpPort = port.orElseGet(Ports::free);
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new RegistryStartException(
                    "directory=" + directory + ", expected=a directory that can be written", e);
        }
        ChildJvm process = ChildJvm.startDeaf(
                new ChildJvm.Command(
                        "schema registry",
                        REGISTRY,
                        JVM_OPTIONS,
                        List.of(),
                        environment(directory, httpPort),
                        directory.resolve("registry.log")),
                ownClasses() + File.pathSeparator + RegistryDistribution.jar(distribution));
        SchemaRegistryServer server = new SchemaRegistryServer(process, httpPort);
        try {
            server.awaitReady();
            return server;
        } catch (RuntimeException | InterruptedException e) {
            process.kill();
            throw e;
        }
    }

    private static Map<String, String> environment(Path directory, int port) {
        String database = directory.toAbsolutePath().resolve("schemas").toString();
        return Map.of(
                "QUARKUS_HTTP_HOST",
                Ports.LOOPBACK,
                "QUARKUS_HTTP_PORT",
                Integer.toString(port),
                "QUARKUS_MANAGEMENT_HOST",
                Ports.LOOPBACK,
                "QUARKUS_MANAGEMENT_PORT",
                Integer.toString(Ports.free()),
                "APICURIO_DATASOURCE_URL",
                // what was acknowledged survives a kill
                "jdbc:h2:file:" + database + ";WRITE_DELAY=0",
                "APICURIO_DATASOURCE_JDBC_INITIAL_SIZE",
                "2",
                "APICURIO_DATASOURCE_JDBC_MIN_SIZE",
                "2",
                "APICURIO_RULES_GLOBAL_COMPATIBILITY",
                "BACKWARD");
    }

    /** This package's classes alone: the registry brings its own libraries, in other versions. */
    private static Path ownClasses() {
        try {
            return Path.of(ParentWatch.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException("where this class came from", e);
        }
    }

    private void awaitReady() throws InterruptedException {
        long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
        try (HttpClient http =
                HttpClient.newBuilder().connectTimeout(ONE_ANSWER).build()) {
            while (!answers(http)) {
                boolean late = System.nanoTime() > deadlineNanos;
                if (late || process.awaitExit(BETWEEN_LOOKS)) {
                    throw new RegistryStartException("the schema registry " + (late ? "does not answer" : "ended")
                            + "; its log is " + process.log() + ":\n"
                            + RegistryDistribution.tail(process.log(), line -> !line.contains("\tat ")));
                }
            }
        }
    }

    private boolean answers(HttpClient http) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url() + "/subjects"))
                .timeout(ONE_ANSWER)
                .build();
        try {
            return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false; // not yet
        }
    }

    /** For {@code schema.registry.url}: Confluent's REST interface. */
    public String url() {
        return "http://" + Ports.LOOPBACK + ":" + port + "/apis/ccompat/v7";
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public long pid() {
        return process.pid();
    }

    /** Its log's file. */
    public Path log() {
        return process.log();
    }

    /** SIGKILL. */
    public void kill() {
        process.kill();
    }

    /** Shuts it down in order; kills it if that takes long. */
    @Override
    public void close() {
        var _ = process.stop(CLOSE_PATIENCE);
    }
}
