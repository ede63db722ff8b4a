package io.millrace.devstack;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The broker's configuration: one small node, quick to start, quick to abort a dead worker's transaction. */
final class BrokerProperties {
    static final int NODE_ID = 1;
    static final String CONTROLLER_LISTENER = "CONTROLLER";

    private static final String PROXIED_LISTENER = "PROXIED";

    private BrokerProperties() {}

    static Map<String, String> of(Path data, int clientPort, int controllerPort) {
        Map<String, String> p = new LinkedHashMap<>();
        putNode(p, data, clientPort, controllerPort);
        putInternalTopics(p);
        // After kill -9 the takeover waits for the dead worker's open transaction; the default looks for those every 10
        // s.
        p.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000");
        p.put("group.initial.rebalance.delay.ms", "0");
        // A mistyped topic is an error, not a new topic with one partition.
        p.put("auto.create.topics.enable", "false");
        putSizes(p);
        return p;
    }

    private static void putNode(Map<String, String> p, Path data, int clientPort, int controllerPort) {
        String client = "PLAINTEXT://" + Ports.LOOPBACK + ":" + clientPort;
        p.put("process.roles", "broker,controller");
        p.put("node.id", Integer.toString(NODE_ID));
        p.put("controller.quorum.voters", NODE_ID + "@" + Ports.LOOPBACK + ":" + controllerPort);
        p.put("listeners", client + "," + CONTROLLER_LISTENER + "://" + Ports.LOOPBACK + ":" + controllerPort);
        p.put("advertised.listeners", client);
        p.put("controller.listener.names", CONTROLLER_LISTENER);
        p.put("inter.broker.listener.name", "PLAINTEXT");
        p.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT," + CONTROLLER_LISTENER + ":PLAINTEXT");
        p.put("log.dirs", data.toString());
        p.put("metadata.log.dir", data.toString());
    }

    /** Ports of a cluster's node. */
    record NodePorts(int direct, int client, int controller) {}

    /**
     * A node of a cluster of three.
     *
     * @param voters {@code controller.quorum.voters}
     * @param advertised where its clients find it, {@code host:port}
     */
    static Map<String, String> ofClusterNode(Path data, int nodeId, String voters, NodePorts ports, String advertised) {
        Map<String, String> p = of(data, ports.client(), ports.controller());
        String direct = "DIRECT://" + Ports.LOOPBACK + ":" + ports.direct();
        p.put("node.id", Integer.toString(nodeId));
        p.put("controller.quorum.voters", voters);
        p.put("listeners", p.get("listeners") + "," + direct);
        p.put("advertised.listeners", "PLAINTEXT://" + advertised + "," + direct);
        p.put("inter.broker.listener.name", "DIRECT");
        p.put("listener.security.protocol.map", p.get("listener.security.protocol.map") + ",DIRECT:PLAINTEXT");
        for (String name : List.of("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")) {
            p.put(name + ".replication.factor", "3");
        }
        p.put("transaction.state.log.min.isr", "2");
        p.put("share.coordinator.state.topic.min.isr", "2");
        p.put("default.replication.factor", "3");
        p.put("min.insync.replicas", "2");
        // partitions of a dead node move after 5 s, not 9
        p.put("broker.session.timeout.ms", "5000");
        p.put("broker.heartbeat.interval.ms", "500");
        return p;
    }

    /** A listener of its own, so that the broker, controllers and tests reach the broker whatever the proxy does. */
    static void putProxied(Map<String, String> p, TcpProxy proxy) {
        String own = PROXIED_LISTENER + "://" + Ports.LOOPBACK + ":" + proxy.brokerPort();
        p.merge("listeners", own, BrokerProperties::join);
        p.merge("advertised.listeners", PROXIED_LISTENER + "://" + proxy.bootstrapServers(), BrokerProperties::join);
        p.merge("listener.security.protocol.map", PROXIED_LISTENER + ":PLAINTEXT", BrokerProperties::join);
    }

    private static String join(String one, String other) {
        return one + "," + other;
    }

    /** One replica, and 4 partitions instead of 50: fewer files to open and to recover. */
    private static void putInternalTopics(Map<String, String> p) {
        p.put("offsets.topic.replication.factor", "1");
        p.put("offsets.topic.num.partitions", "4");
        p.put("transaction.state.log.replication.factor", "1");
        p.put("transaction.state.log.min.isr", "1");
        p.put("transaction.state.log.num.partitions", "4");
        p.put("share.coordinator.state.topic.replication.factor", "1");
        p.put("share.coordinator.state.topic.min.isr", "1");
        p.put("share.coordinator.state.topic.num.partitions", "1");
    }

    private static void putSizes(Map<String, String> p) {
        p.put("log.cleaner.dedupe.buffer.size", "4194304"); // 4 MiB, not 128 MiB
        p.put("num.network.threads", "2");
        p.put("num.io.threads", "4");
        p.put("background.threads", "2");
    }
}
