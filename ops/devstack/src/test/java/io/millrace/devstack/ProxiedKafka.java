package io.millrace.devstack;

/** A broker of a test's own with a {@link TcpProxy} before it: the application comes by the proxy, the test itself does not. */
public final class ProxiedKafka implements AutoCloseable {
    private final TcpProxy proxy;
    private final EmbeddedKafka broker;
    private final TestKafka kafka;

    private ProxiedKafka(TcpProxy proxy, EmbeddedKafka broker) {
        this.proxy = proxy;
        this.broker = broker;
        this.kafka = TestKafka.on(broker.bootstrapServers());
    }

    /** Starts both; the broker's data goes away with it. */
    public static ProxiedKafka start() {
        TcpProxy proxy = TcpProxy.start();
        try {
            return new ProxiedKafka(
                    proxy, EmbeddedKafka.start(EmbeddedKafkaOptions.temporary().withProxy(proxy)));
        } catch (RuntimeException e) {
            proxy.close();
            throw e;
        }
    }

    /** The network to break. */
    public TcpProxy proxy() {
        return proxy;
    }

    /** What the test uses, whatever the proxy does. */
    public TestKafka kafka() {
        return kafka;
    }

    @Override
    public void close() {
        kafka.admin().close();
        proxy.close();
        broker.close();
    }
}
