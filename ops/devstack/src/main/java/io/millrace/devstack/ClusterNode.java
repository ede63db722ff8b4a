package io.millrace.devstack;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Time;

/**
 * A node of a {@link KafkaCluster} as a process of its own: {@code ClusterNode DIRECTORY CLUSTER_ID}, with Kafka's properties in
 * {@code DIRECTORY/node.properties}.
 *
 * <p>It writes {@code DIRECTORY/ready} when it accepts clients. The line {@value #STOP} on its standard input shuts it down in
 * order; the end of its standard input kills it.
 */
public final class ClusterNode {
    static final String PROPERTIES_FILE = "node.properties";
    static final String READY_FILE = "ready";
    static final String STOP = "stop";

    private ClusterNode() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 2) {
            throw new IllegalArgumentException("arguments=" + args.length + ", expected=DIRECTORY CLUSTER_ID");
        }
        Path path = Path.of(args[0]);
        Map<String, String> properties = properties(path.resolve(PROPERTIES_FILE));
        try (BrokerDirectory directory = BrokerDirectory.persistent(path)) {
            directory.format(Integer.parseInt(Objects.requireNonNull(properties.get("node.id"))), args[1]);
            KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(properties, false), Time.SYSTEM);
            ParentWatch.onLine(line -> {
                if (line.equals(STOP)) {
                    server.shutdown();
                }
            });
            server.startup();
            Path partial = path.resolve(READY_FILE + ".partial");
            Files.writeString(partial, "");
            Files.move(partial, path.resolve(READY_FILE), StandardCopyOption.ATOMIC_MOVE);
            server.awaitShutdown();
        }
        System.exit(0); // whatever threads are left
    }

    private static Map<String, String> properties(Path file) throws java.io.IOException {
        Properties read = new Properties();
        try (var reader = Files.newBufferedReader(file)) {
            read.load(reader);
        }
        Map<String, String> properties = new HashMap<>();
        read.stringPropertyNames().forEach(name -> properties.put(name, read.getProperty(name)));
        return properties;
    }
}
