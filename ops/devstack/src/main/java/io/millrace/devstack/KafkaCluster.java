package io.millrace.devstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Uuid;

/**
 * A cluster of Kafka nodes (KRaft, each both broker and controller), each a JVM of its own on 127.0.0.1, so that one can be killed as
 * machines die. What it replicates, it replicates to three nodes, and it acknowledges what two have.
 *
 * <p>Each node has two listeners: one that clients reach through a {@link TcpProxy}, and a direct one for the other nodes and for those
 * who watch.
 *
 * <p>Threads: any; one caller at a time for each node. The nodes end with this JVM, also if it is killed.
 */
public final class KafkaCluster implements AutoCloseable {
    /** Of everything that it replicates, its own topics among them. */
    public static final int REPLICATION_FACTOR = 3;

    /** How long a node may take to come up, or all partitions to be in sync again. */
    public static final Duration PATIENCE = Duration.ofMinutes(4);

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(100);
    private static final List<String> JVM_OPTIONS =
            List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto");

    private final Path directory;
    private final String clusterId;
    private final List<Node> nodes;
    private final Admin admin;

    /** Ports, and what runs there. */
    private static final class Node {
        final int id;
        final int directPort;
        final int clientPort;
        final int controllerPort;
        final TcpProxy proxy;
        volatile ChildJvm process;

        @SuppressWarnings("NullAway.Init") // started with the others
        Node(int id) {
            this.id = id;
            this.directPort = Ports.free();
            this.clientPort = Ports.free();
            this.controllerPort = Ports.free();
            this.proxy = TcpProxy.start(clientPort);
        }
    }

    private KafkaCluster(Path directory) {
        this.directory = directory;
        this.clusterId = Uuid.randomUuid().toString();
        this.nodes =
                IntStream.rangeClosed(1, REPLICATION_FACTOR).mapToObj(Node::new).toList();
        this.admin = Admin.create(Map.of("bootstrap.servers", directServers()));
    }

    /**
     * Starts a new cluster of three and returns when it accepts clients.
     *
     * @param directory where it keeps data and logs; created if missing
     * @throws KafkaStartException if a node does not come up
     */
    public static KafkaCluster start(Path directory) throws InterruptedException {
        KafkaCluster cluster = new KafkaCluster(directory);
        try {
            cluster.nodes.forEach(node -> {
                cluster.writeProperties(node);
                cluster.launch(node);
            });
            for (Node node : cluster.nodes) {
                cluster.awaitReady(node);
            }
            return cluster;
        } catch (RuntimeException | InterruptedException e) {
            cluster.close();
            throw e;
        }
    }

    /** Number of nodes; they are 0 to one less. */
    public int size() {
        return nodes.size();
    }

    /** {@code bootstrap.servers} through the proxies. */
    public String bootstrapServers() {
        return nodes.stream().map(node -> node.proxy.bootstrapServers()).collect(Collectors.joining(","));
    }

    /** {@code bootstrap.servers} past the proxies. */
    public String directServers() {
        return servers(node -> node.directPort);
    }

    /** What clients of a node come through. */
    public TcpProxy proxy(int node) {
        return nodes.get(node).proxy;
    }

    /** Kafka's id of a node. */
    public int brokerId(int node) {
        return nodes.get(node).id;
    }

    /** Shuts a node down in order. */
    public void stop(int node) throws InterruptedException {
        ChildJvm process = nodes.get(node).process;
        process.tell(ClusterNode.STOP);
        if (!process.awaitExit(PATIENCE)) {
            throw new IllegalStateException(process.name() + " does not stop; its log is " + process.log());
        }
    }

    /** SIGKILL. */
    public void kill(int node) {
        nodes.get(node).process.kill();
    }

    /** Starts a node that was stopped or killed, and returns when it accepts clients. */
    public void restart(int node) throws InterruptedException {
        launch(nodes.get(node));
        awaitReady(nodes.get(node));
    }

    /** Waits until all replicas of all partitions are in sync, so that another node may go down. */
    public void awaitInSync() throws InterruptedException {
        long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
        while (!isInSync()) {
            if (System.nanoTime() > deadlineNanos) {
                throw new IllegalStateException(
                        "replicas are not in sync after " + PATIENCE + "; logs in " + directory);
            }
            TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
        }
    }

    private boolean isInSync() throws InterruptedException {
        try {
            var names = admin.listTopics(new org.apache.kafka.clients.admin.ListTopicsOptions().listInternal(true))
                    .names()
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            return admin
                    .describeTopics(names)
                    .allTopicNames()
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                    .values()
                    .stream()
                    .allMatch(KafkaCluster::isInSync);
        } catch (ExecutionException | TimeoutException e) {
            return false; // asked again
        }
    }

    private static boolean isInSync(TopicDescription topic) {
        return topic.partitions().stream()
                .allMatch(partition ->
                        partition.isr().size() == partition.replicas().size());
    }

    private Path directory(Node node) {
        return directory.resolve("node-" + node.id);
    }

    private void launch(Node node) {
        try {
            Files.deleteIfExists(directory(node).resolve(ClusterNode.READY_FILE));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        node.process = ChildJvm.start(new ChildJvm.Command(
                "broker " + node.id,
                ClusterNode.class.getName(),
                JVM_OPTIONS,
                List.of(directory(node).toString(), clusterId),
                Map.of(),
                directory.resolve("node-" + node.id + ".log")));
    }

    private void awaitReady(Node node) throws InterruptedException {
        Path ready = directory(node).resolve(ClusterNode.READY_FILE);
        try {
            node.process.awaitReady(() -> Files.exists(ready), PATIENCE);
        } catch (IllegalStateException e) {
            throw new KafkaStartException(String.valueOf(e.getMessage()), e);
        }
    }

    private void writeProperties(Node node) {
        Properties file = new Properties();
        file.putAll(BrokerProperties.ofClusterNode(
                directory(node).resolve("data"),
                node.id,
                voters(),
                new BrokerProperties.NodePorts(node.directPort, node.clientPort, node.controllerPort),
                node.proxy.bootstrapServers()));
        Path path = directory(node).resolve(ClusterNode.PROPERTIES_FILE);
        try {
            Files.createDirectories(directory(node));
            try (var writer = Files.newBufferedWriter(path)) {
                file.store(writer, null);
            }
        } catch (IOException e) {
            throw new KafkaStartException("file=" + path + ", expected=a file that can be written", e);
        }
    }

    private String voters() {
        return nodes.stream()
                .map(node -> node.id + "@" + Ports.LOOPBACK + ":" + node.controllerPort)
                .collect(Collectors.joining(","));
    }

    private String servers(Function<Node, Integer> port) {
        return nodes.stream()
                .map(node -> Ports.LOOPBACK + ":" + port.apply(node))
                .collect(Collectors.joining(","));
    }

    /** Kills the nodes. Their data and logs stay. */
    @Override
    public void close() {
        admin.close(Duration.ZERO);
        List<Node> running = new ArrayList<>(nodes);
        running.removeIf(node -> node.process == null);
        running.forEach(node -> node.process.close());
        nodes.forEach(node -> node.proxy.close());
    }
}
