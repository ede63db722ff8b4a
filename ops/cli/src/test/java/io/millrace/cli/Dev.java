package io.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** {@code millrace dev} in a JVM of its own, and what it prints. */
record Dev(Process process, Path log, Path temporary) implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(5);

    static Dev start(Path folder, List<String> arguments) throws IOException {
        Path temporary = Files.createDirectories(folder.resolve("tmp"));
        Path log = Files.createTempFile(folder, "dev", ".log");
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmx768m",
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "dev"));
        line.addAll(arguments);
        Process process = new ProcessBuilder(line)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        return new Dev(process, log, temporary);
    }

    String output() throws IOException {
        return Files.readString(log);
    }

    /** The first group of a line that is printed at some time. */
    String awaitLine(String pattern) {
        Pattern compiled = Pattern.compile(pattern);
        return await(pattern)
                .atMost(PATIENCE)
                .failFast(() -> assertThat(process.isAlive()).as(output()).isTrue())
                .until(
                        () -> compiled.matcher(output())
                                .results()
                                .map(found -> found.group(1))
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    void awaitReady() {
        awaitLine("(Ctrl-C stops all of it)");
    }

    /** SIGTERM, and waits for the end. */
    void stop() throws InterruptedException {
        process.destroy();
        assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
