package io.millrace.bench.pipeline;

import io.millrace.bench.pipeline.PipelineBench.Subject;
import io.millrace.devstack.ChildJvm;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** {@code millrace process} in a JVM of its own: the model is loaded, the gate is open, and no prompt comes. */
final class IdleProcess {

    private static final Duration START = Duration.ofMinutes(3);

    /** By then the JVM has compiled what an idle loop runs. */
    private static final Duration SETTLE = Duration.ofSeconds(90);

    private static final double NANOS_PER_SECOND = 1e9;
    private static final double PERCENT = 100;

    private IdleProcess() {}

    /** The configuration of all that runs here: every default, on the bench's broker. */
    static Path writeConfig(Subject subject, BenchKafka kafka, int httpPort) throws IOException {
        Path file = subject.folder().resolve("millrace.yaml");
        Files.writeString(file, """
                application_id: millrace-bench
                kafka:
                  bootstrap.servers: "%s"
                  state.dir: "%s"
                models:
                  %s: { source: "file:%s" }
                http:
                  port: %d
                """.formatted(
                        kafka.bootstrapServers(),
                        subject.folder().resolve("streams"),
                        subject.model(),
                        subject.file().toAbsolutePath(),
                        httpPort));
        return file;
    }

    /** CPU time while nothing comes, in percent of a core. */
    static double cpuPercent(Subject subject, Path config, int httpPort, Duration time) throws InterruptedException {
        List<String> options = ManagementFactory.getRuntimeMXBean().getInputArguments();
        var command = new ChildJvm.Command(
                "the idle process",
                subject.mainClass(),
                options,
                List.of("process", "--config", config.toString()),
                Map.of(),
                subject.folder().resolve("process.log"));
        try (ChildJvm process = ChildJvm.start(command)) {
            process.awaitReady(readiness(httpPort), START);
            TimeUnit.NANOSECONDS.sleep(SETTLE.toNanos());
            double from = process.cpuSeconds();
            long start = System.nanoTime();
            TimeUnit.NANOSECONDS.sleep(time.toNanos());
            return (process.cpuSeconds() - from) / ((System.nanoTime() - start) / NANOS_PER_SECOND) * PERCENT;
        }
    }

    private static BooleanSupplier readiness(int port) {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/readyz"))
                .build();
        var client = HttpClient.newHttpClient();
        return () -> {
            try {
                return client.send(request, HttpResponse.BodyHandlers.discarding())
                                .statusCode()
                        == 200;
            } catch (IOException e) {
                return false; // not up yet
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        };
    }
}
