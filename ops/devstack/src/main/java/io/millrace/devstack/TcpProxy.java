package io.millrace.devstack;

import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The network between clients and one Kafka broker, on 127.0.0.1, to be broken at will. Start the proxy first, then the broker with
 * {@link EmbeddedKafkaOptions#withProxy}, or with {@link #advertisedListeners} where all its clients are to come this way; the broker may
 * go away and come back.
 *
 * <p>It passes whole frames of Kafka's protocol (4 bytes of length, then as many), so it can tell requests apart.
 *
 * <p>Threads: all methods may be called from any thread. One thread accepts, two serve each connection; the monitor guards what is set.
 */
public final class TcpProxy implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TcpProxy.class);

    /** Larger frames than any broker or client here takes (100 MiB by default) are not Kafka's protocol. */
    private static final int MAX_FRAME_BYTES = 128 * 1024 * 1024;

    private static final int CONNECT_TIMEOUT_MS = 5_000;
    private static final short END_TXN = 26;

    /** Which way frames go. */
    public enum Direction {
        TO_BROKER,
        TO_CLIENT
    }

    /** What a client sees of a lost response. */
    public enum Loss {
        /** Its connection is gone. */
        CUT,
        /** Its connection stays, and nothing ever comes on it again. */
        SILENCE
    }

    private final ServerSocket listener;
    private final InetSocketAddress broker;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final AtomicReference<@Nullable Trap> endTxnTrap = new AtomicReference<>();
    private final Set<Direction> stalled = EnumSet.noneOf(Direction.class);
    private Duration delay = Duration.ZERO;
    private boolean refusing;
    private volatile boolean closed;

    private record Trap(Loss loss, CompletableFuture<Void> sprung) {}

    private TcpProxy(ServerSocket listener, InetSocketAddress broker) {
        this.listener = listener;
        this.broker = broker;
    }

    /** In front of a broker that does not run yet: see {@link #brokerPort}. */
    public static TcpProxy start() {
        return start(Ports.free());
    }

    /**
     * Listens on a free port and passes what comes to a broker's port on this machine.
     *
     * @param brokerPort 1 to 65535; nothing has to listen there yet
     */
    public static TcpProxy start(int brokerPort) {
        if (brokerPort < 1 || brokerPort > 65535) {
            throw new IllegalArgumentException("brokerPort=" + brokerPort + ", expected=1 to 65535");
        }
        try {
            InetAddress loopback = InetAddress.ofLiteral(Ports.LOOPBACK);
            ServerSocket listener = new ServerSocket();
            listener.bind(new InetSocketAddress(loopback, 0));
            TcpProxy proxy = new TcpProxy(listener, new InetSocketAddress(loopback, brokerPort));
            Thread.ofPlatform().daemon().name("tcp-proxy-" + proxy.port()).start(proxy::acceptAll);
            return proxy;
        } catch (IOException e) {
            throw new UncheckedIOException("no free port on " + Ports.LOOPBACK, e);
        }
    }

    /** Where it listens. */
    public int port() {
        return listener.getLocalPort();
    }

    /** Where the broker listens, or is to. */
    public int brokerPort() {
        return broker.getPort();
    }

    /** {@code 127.0.0.1:port}, for {@code bootstrap.servers}. */
    public String bootstrapServers() {
        return Ports.LOOPBACK + ":" + port();
    }

    /** The broker property {@code advertised.listeners} that sends its clients here. */
    public String advertisedListeners() {
        return "PLAINTEXT://" + bootstrapServers();
    }

    /** Connections that are open now. */
    public int connections() {
        return connections.size();
    }

    /** Cuts all connections; new ones are taken. */
    public void cut() {
        connections.forEach(Connection::close);
    }

    /** From now on new connections are closed at once. Those that are open stay. */
    public synchronized void refuse() {
        refusing = true;
    }

    /** From now on each frame waits so long, zero or more, each way; frames that come meanwhile wait behind it. */
    public synchronized void delay(Duration each) {
        if (each.isNegative()) {
            throw new IllegalArgumentException("delay=" + each + ", expected=zero or more");
        }
        delay = each;
    }

    /** From now on nothing passes this way, as if packets were lost: it comes after {@link #heal}, where the connection still is. */
    public synchronized void stall(Direction direction) {
        stalled.add(direction);
    }

    /** Takes back {@link #refuse}, {@link #delay} and {@link #stall}. */
    public synchronized void heal() {
        refusing = false;
        delay = Duration.ZERO;
        stalled.clear();
        notifyAll();
    }

    /**
     * The broker's answer to the next {@code EndTxn} request, the end of a transaction, is lost: the broker has done it, and its client
     * does not know.
     *
     * @return completes when that has happened
     */
    public CompletableFuture<Void> loseNextEndTxnResponse(Loss loss) {
        Trap trap = new Trap(loss, new CompletableFuture<>());
        endTxnTrap.set(trap);
        return trap.sprung.copy();
    }

    @Override
    public void close() {
        closed = true;
        closeQuietly(listener);
        heal();
        cut();
    }

    private void acceptAll() {
        while (!closed) {
            try {
                Socket client = listener.accept();
                if (isRefusing()) {
                    closeQuietly(client);
                } else {
                    Thread.ofVirtual().name("tcp-proxy-connect").start(() -> connect(client));
                }
            } catch (IOException e) {
                if (!closed) {
                    LOG.warn("proxy {} does not accept", port(), e);
                }
            }
        }
    }

    private synchronized boolean isRefusing() {
        return refusing;
    }

    private void connect(Socket client) {
        Socket server = new Socket();
        try {
            server.connect(broker, CONNECT_TIMEOUT_MS);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
        } catch (IOException e) {
            LOG.debug("broker {} does not answer: {}", broker, e.toString());
            closeQuietly(client);
            closeQuietly(server);
            return;
        }
        Connection connection = new Connection(client, server);
        connections.add(connection);
        if (closed) {
            connection.close();
        }
        Thread.ofVirtual().name("tcp-proxy-requests").start(() -> connection.run(connection::passRequests));
        Thread.ofVirtual().name("tcp-proxy-responses").start(() -> connection.run(connection::passResponses));
    }

    /** Waits as long as frames of this direction have to. */
    private void hold(Direction direction, Connection connection) throws InterruptedException {
        Duration wait;
        synchronized (this) {
            wait = delay;
        }
        if (!wait.isZero()) {
            TimeUnit.NANOSECONDS.sleep(wait.toNanos());
        }
        synchronized (this) {
            while (stalled.contains(direction) && !connection.isClosed()) {
                wait();
            }
        }
    }

    private synchronized void wakeHeld() {
        notifyAll();
    }

    private static void closeQuietly(Closeable closeable) {
        try {
            closeable.close();
        } catch (IOException e) {
            LOG.debug("while closing: {}", e.toString());
        }
    }

    private interface Pump {
        void run() throws IOException, InterruptedException;
    }

    /** A client's connection and ours to the broker. */
    private final class Connection {
        private final Socket client;
        private final Socket server;

        /** EndTxn requests whose responses are to be lost. */
        private final ConcurrentHashMap<Integer, Trap> trapped = new ConcurrentHashMap<>();

        Connection(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        /** Until an end of it is gone. */
        void run(Pump pump) {
            try {
                pump.run();
            } catch (IOException e) {
                LOG.debug("connection of proxy {} ended: {}", port(), e.toString());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                close();
            }
        }

        /** A request begins with api key, version and correlation id. */
        void passRequests() throws IOException, InterruptedException {
            DataInputStream in = new DataInputStream(client.getInputStream());
            DataOutputStream out = new DataOutputStream(server.getOutputStream());
            while (true) {
                Frame frame = Frame.read(in, 8);
                if (frame.shortAt(0) == END_TXN) {
                    Trap trap = endTxnTrap.getAndSet(null);
                    if (trap != null) {
                        trapped.put(frame.intAt(4), trap);
                    }
                }
                hold(Direction.TO_BROKER, this);
                frame.write(out);
            }
        }

        /** A response begins with the correlation id of its request. */
        void passResponses() throws IOException, InterruptedException {
            DataInputStream in = new DataInputStream(server.getInputStream());
            DataOutputStream out = new DataOutputStream(client.getOutputStream());
            boolean silent = false;
            while (true) {
                Frame frame = Frame.read(in, 4);
                Trap trap = trapped.remove(frame.intAt(0));
                if (trap != null) {
                    trap.sprung.complete(null);
                    silent = true;
                    if (trap.loss == Loss.CUT) {
                        return;
                    }
                }
                if (!silent) {
                    hold(Direction.TO_CLIENT, this);
                    frame.write(out);
                }
            }
        }

        boolean isClosed() {
            return client.isClosed();
        }

        void close() {
            closeQuietly(client);
            closeQuietly(server);
            connections.remove(this);
            wakeHeld();
        }
    }

    /** What comes after the four bytes of length. */
    private record Frame(byte[] bytes) {

        static Frame read(DataInputStream in, int leastBytes) throws IOException {
            int length = in.readInt();
            if (length < leastBytes || length > MAX_FRAME_BYTES) {
                throw new IOException("frame=" + length + " bytes, expected=" + leastBytes + " to " + MAX_FRAME_BYTES);
            }
            byte[] bytes = new byte[length];
            in.readFully(bytes);
            return new Frame(bytes);
        }

        /** In one write, so that it goes out in as few packets as it can. */
        void write(DataOutputStream out) throws IOException {
            byte[] framed = new byte[Integer.BYTES + bytes.length];
            ByteBuffer.wrap(framed).putInt(bytes.length).put(bytes);
            out.write(framed);
        }

        short shortAt(int index) {
            return ByteBuffer.wrap(bytes).getShort(index);
        }

        int intAt(int index) {
            return ByteBuffer.wrap(bytes).getInt(index);
        }
    }
}
