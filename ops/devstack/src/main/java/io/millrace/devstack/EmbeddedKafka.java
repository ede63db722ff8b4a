package io.millrace.devstack;

import java.net.BindException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One real Kafka node (KRaft: broker and controller) in this process, listening on 127.0.0.1 only.
 *
 * <p>It starts in seconds, keeps its data when it is given a directory, and may be started again on that directory. It does not
 * create topics by itself. The broker logs through slf4j as {@code kafka}, {@code org.apache.kafka} and {@code state.change.logger};
 * set these to {@code error} for a quiet console.
 *
 * <p>Threads: {@link #start} and {@link #close} block; both may be called from any thread, {@code close} more than once.
 */
public final class EmbeddedKafka implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedKafka.class);
    private static final int FREE_PORT_ATTEMPTS = 5;

    private final String bootstrapServers;
    private final BrokerDirectory directory;
    private final KafkaRaftServer server;
    private boolean closed;

    private EmbeddedKafka(String bootstrapServers, BrokerDirectory directory, KafkaRaftServer server) {
        this.bootstrapServers = bootstrapServers;
        this.directory = directory;
        this.server = server;
    }

    /** A broker on a free port whose data goes away with it. */
    public static EmbeddedKafka start() {
        return start(EmbeddedKafkaOptions.temporary());
    }

    /** A broker on a free port that keeps its data in {@code directory}. */
    public static EmbeddedKafka start(Path directory) {
        return start(EmbeddedKafkaOptions.persistent(directory));
    }

    /**
     * Starts a broker and returns when it accepts clients.
     *
     * @throws KafkaStartException if the port is taken, the directory is in use or not writable, or the broker fails
     */
    public static EmbeddedKafka start(EmbeddedKafkaOptions options) {
        options.port().ifPresent(Ports::requireFree);
        BrokerDirectory directory = options.directory().isPresent()
                ? BrokerDirectory.persistent(options.directory().get())
                : BrokerDirectory.temporary();
        try {
            directory.format();
            return startOnFreePorts(options, directory);
        } catch (RuntimeException e) {
            directory.close();
            throw e;
        }
    }

    /** Free ports are found, released and bound again by the broker, so another process may come between: then try others. */
    private static EmbeddedKafka startOnFreePorts(EmbeddedKafkaOptions options, BrokerDirectory directory) {
        for (int attempt = 1; ; attempt++) {
            int controllerPort = Ports.free();
            int clientPort = options.port().isPresent() ? options.port().getAsInt() : Ports.free();
            try {
                return start(options, directory, clientPort, controllerPort);
            } catch (RuntimeException e) {
                if (attempt == FREE_PORT_ATTEMPTS || !isBindFailure(e)) {
                    throw new KafkaStartException(
                            "broker did not start: directory=" + directory.path() + ", port=" + clientPort + ": "
                                    + e.getMessage(),
                            e);
                }
            }
        }
    }

    private static EmbeddedKafka start(
            EmbeddedKafkaOptions options, BrokerDirectory directory, int clientPort, int controllerPort) {
        Map<String, String> properties = BrokerProperties.of(directory.data(), clientPort, controllerPort);
        options.proxy().ifPresent(proxy -> BrokerProperties.putProxied(properties, proxy));
        properties.putAll(options.properties());
        long startNanos = System.nanoTime();
        KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(new HashMap<>(properties), false), Time.SYSTEM);
        try {
            server.startup();
        } catch (RuntimeException e) {
            server.shutdown();
            throw e;
        }
        String bootstrapServers = Ports.LOOPBACK + ":" + clientPort;
        LOG.info(
                "Kafka listens on {}, data in {}, started in {} ms",
                bootstrapServers,
                directory.path(),
                (System.nanoTime() - startNanos) / 1_000_000);
        return new EmbeddedKafka(bootstrapServers, directory, server);
    }

    private static boolean isBindFailure(Throwable error) {
        for (@Nullable Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException) {
                return true;
            }
        }
        return false;
    }

    /** {@code 127.0.0.1:port}, for {@code bootstrap.servers}. */
    public String bootstrapServers() {
        return bootstrapServers;
    }

    /** Where the broker keeps its data. */
    public Path directory() {
        return directory.path();
    }

    /** Stops the broker; a temporary directory is deleted. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        server.shutdown();
        server.awaitShutdown();
        directory.close();
    }
}
