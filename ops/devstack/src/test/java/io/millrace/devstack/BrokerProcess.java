package io.millrace.devstack;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.awaitility.Awaitility;

/**
 * A broker in a JVM of its own, for tests that kill it. Start it again on the same directory and port: its clients then find it.
 * What it logs is in {@code DIRECTORY/broker.log}.
 */
public final class BrokerProcess implements AutoCloseable {
    private final Process process;
    private final String bootstrapServers;

    private BrokerProcess(Process process, String bootstrapServers) {
        this.process = process;
        this.bootstrapServers = bootstrapServers;
    }

    /** A port of 127.0.0.1 that was free a moment ago. */
    public static int freePort() {
        return Ports.free();
    }

    /**
     * Starts a broker and waits until it accepts clients. It restarts quickly after a kill.
     *
     * @param properties broker properties by Kafka's names
     */
    public static BrokerProcess start(Path directory, int port, Map<String, String> properties) {
        Path ready = directory.resolve(BrokerMain.READY_FILE);
        try {
            Files.createDirectories(directory);
            Files.deleteIfExists(ready);
            Process process = new ProcessBuilder(command(directory, port, properties))
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("broker.log").toFile())
                    .start();
            Awaitility.await("broker on port " + port)
                    .atMost(TestKafka.TIMEOUT)
                    .pollInterval(Duration.ofMillis(50))
                    .failFast(
                            "the broker's process ended: see " + directory.resolve("broker.log"),
                            () -> !process.isAlive())
                    .until(() -> Files.exists(ready));
            return new BrokerProcess(process, Files.readString(ready));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> command(Path directory, int port, Map<String, String> properties) {
        EmbeddedKafkaOptions options = new EmbeddedKafkaOptions(
                        Optional.empty(), OptionalInt.empty(), properties, Optional.empty())
                .withQuickRestart();
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                BrokerMain.class.getName(),
                directory.toString(),
                Integer.toString(port)));
        options.properties().forEach((name, value) -> command.add(name + "=" + value));
        return command;
    }

    public String bootstrapServers() {
        return bootstrapServers;
    }

    /** The process, for signals: {@code kill -STOP} and the like. */
    public ProcessHandle handle() {
        return process.toHandle();
    }

    /** kill -9, and waits for the end. */
    public void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    /** SIGTERM, and waits for the end. */
    @Override
    public void close() {
        process.destroy();
        awaitEnd();
    }

    private void awaitEnd() {
        Awaitility.await("broker's end").atMost(TestKafka.TIMEOUT).until(() -> !process.isAlive());
    }
}
