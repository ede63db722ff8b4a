package io.millrace.devstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A broker in a JVM of its own, for tests that kill it. Start it again on the same directory and port: its clients then find it.
 * What it logs is in {@code DIRECTORY/broker.log}.
 */
public final class BrokerProcess implements AutoCloseable {
    private final ChildJvm process;
    private final String bootstrapServers;

    private BrokerProcess(ChildJvm process, String bootstrapServers) {
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
            ChildJvm process = ChildJvm.start(new ChildJvm.Command(
                    "the broker on port " + port,
                    BrokerMain.class.getName(),
                    List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"),
                    arguments(directory, port, properties),
                    Map.of(),
                    directory.resolve("broker.log")));
            process.awaitReady(() -> Files.exists(ready), TestKafka.TIMEOUT);
            return new BrokerProcess(process, Files.readString(ready));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static List<String> arguments(Path directory, int port, Map<String, String> properties) {
        EmbeddedKafkaOptions options = new EmbeddedKafkaOptions(
                        Optional.empty(), OptionalInt.empty(), properties, Optional.empty())
                .withQuickRestart();
        List<String> arguments = new ArrayList<>(List.of(directory.toString(), Integer.toString(port)));
        options.properties().forEach((name, value) -> arguments.add(name + "=" + value));
        return arguments;
    }

    public String bootstrapServers() {
        return bootstrapServers;
    }

    /** kill -9, and waits for the end. */
    public void kill() {
        process.kill();
    }

    /** SIGTERM, and waits for the end. */
    @Override
    public void close() {
        if (!process.stop(TestKafka.TIMEOUT)) {
            throw new IllegalStateException(process.name() + " does not end on SIGTERM; its log is " + process.log());
        }
    }
}
