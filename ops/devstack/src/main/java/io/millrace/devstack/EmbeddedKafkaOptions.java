package io.millrace.devstack;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How an {@link EmbeddedKafka} runs.
 *
 * @param directory where it keeps its data; empty: a temporary directory that is deleted on close
 * @param port the port clients connect to on 127.0.0.1, 1 to 65535; empty: a free one
 * @param properties broker properties by Kafka's names, over {@link EmbeddedKafka}'s own
 * @param proxy a second way in, whose clients stay behind it: the broker listens on the proxy's broker port too
 */
public record EmbeddedKafkaOptions(
        Optional<Path> directory, OptionalInt port, Map<String, String> properties, Optional<TcpProxy> proxy) {

    public EmbeddedKafkaOptions {
        properties = Map.copyOf(properties);
        if (port.isPresent() && (port.getAsInt() < 1 || port.getAsInt() > 65535)) {
            throw new IllegalArgumentException("port=" + port.getAsInt() + ", expected=1 to 65535");
        }
    }

    /** A broker whose data goes away with it. */
    public static EmbeddedKafkaOptions temporary() {
        return new EmbeddedKafkaOptions(Optional.empty(), OptionalInt.empty(), Map.of(), Optional.empty());
    }

    /** A broker that keeps its data in {@code directory}, which is created if missing. */
    public static EmbeddedKafkaOptions persistent(Path directory) {
        return new EmbeddedKafkaOptions(Optional.of(directory), OptionalInt.empty(), Map.of(), Optional.empty());
    }

    public EmbeddedKafkaOptions withPort(int clientPort) {
        return new EmbeddedKafkaOptions(directory, OptionalInt.of(clientPort), properties, proxy);
    }

    public EmbeddedKafkaOptions withProperty(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(properties);
        more.put(name, value);
        return new EmbeddedKafkaOptions(directory, port, more, proxy);
    }

    /** Clients that start with the proxy's {@code bootstrapServers} reach the broker through it only, all others directly. */
    public EmbeddedKafkaOptions withProxy(TcpProxy clientsProxy) {
        return new EmbeddedKafkaOptions(directory, port, properties, Optional.of(clientsProxy));
    }

    /** For tests that kill a broker: a restart then waits 1 s for the dead broker's session, not 9 s. */
    public EmbeddedKafkaOptions withQuickRestart() {
        return withProperty("broker.session.timeout.ms", "1000").withProperty("broker.heartbeat.interval.ms", "200");
    }
}
