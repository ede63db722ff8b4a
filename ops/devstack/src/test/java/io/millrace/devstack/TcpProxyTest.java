package io.millrace.devstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.devstack.TcpProxy.Direction;
import io.millrace.devstack.TcpProxy.Loss;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against a stand-in for a broker that answers each request with its correlation id. */
class TcpProxyTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final short END_TXN = 26;
    private static final short FETCH = 1;

    private final CopyOnWriteArrayList<Integer> served = new CopyOnWriteArrayList<>();
    private ServerSocket broker;
    private Thread accepting;
    private TcpProxy proxy;

    @BeforeEach
    void start() throws IOException {
        broker = new ServerSocket(0, 50, InetAddress.ofLiteral(Ports.LOOPBACK));
        proxy = TcpProxy.start(broker.getLocalPort());
        accepting = Thread.ofVirtual().start(this::serve);
    }

    @AfterEach
    void stop() throws IOException {
        proxy.close();
        broker.close();
    }

    @Test
    void shouldPassRequestsAndResponses() throws IOException {
        try (Client client = new Client()) {
            client.send(FETCH, 1);
            client.send(END_TXN, 2);
            assertThat(client.receive()).isEqualTo(1);
            assertThat(client.receive()).isEqualTo(2);
            assertThat(proxy.connections()).isEqualTo(1);
        }
        await().atMost(TIMEOUT).until(() -> proxy.connections() == 0);
    }

    @Test
    void shouldLoseTheNextEndOfATransactionAfterTheBrokerHasServedIt() throws IOException {
        try (Client client = new Client()) {
            CompletableFuture<Void> lost = proxy.loseNextEndTxnResponse(Loss.CUT);
            client.send(FETCH, 1);
            assertThat(client.receive()).isEqualTo(1);
            assertThat(lost).as("no end of a transaction yet").isNotDone();

            client.send(END_TXN, 2);
            assertThatThrownBy(client::receive).isInstanceOfAny(EOFException.class, SocketException.class);
            assertThat(lost).succeedsWithin(TIMEOUT);
            assertThat(served).containsExactly(1, 2);
        }
        try (Client client = new Client()) {
            client.send(END_TXN, 3);
            assertThat(client.receive()).as("only one is lost").isEqualTo(3);
        }
    }

    @Test
    void shouldKeepAConnectionSilentAfterALoss() throws IOException {
        try (Client client = new Client()) {
            CompletableFuture<Void> lost = proxy.loseNextEndTxnResponse(Loss.SILENCE);
            client.send(END_TXN, 1);
            client.send(FETCH, 2);
            assertThat(lost).succeedsWithin(TIMEOUT);
            await().atMost(TIMEOUT).until(() -> served.size() == 2);
            client.assertNothingComes();
            assertThat(proxy.connections()).isEqualTo(1);
        }
    }

    @Test
    void shouldHoldBackWhatGoesToTheClientUntilHealed() throws IOException {
        try (Client client = new Client()) {
            proxy.stall(Direction.TO_CLIENT);
            client.send(FETCH, 1);
            await().atMost(TIMEOUT).until(() -> served.contains(1));
            client.assertNothingComes();
            proxy.heal();
            assertThat(client.receive()).isEqualTo(1);
        }
    }

    @Test
    void shouldHoldBackWhatGoesToTheBrokerUntilHealed() throws IOException {
        try (Client client = new Client()) {
            proxy.stall(Direction.TO_BROKER);
            client.send(FETCH, 1);
            client.assertNothingComes();
            assertThat(served).isEmpty();
            proxy.heal();
            assertThat(client.receive()).isEqualTo(1);
        }
    }

    @Test
    void shouldCutWhatIsOpenAndTakeNewConnections() throws IOException {
        try (Client client = new Client()) {
            client.send(FETCH, 1);
            assertThat(client.receive()).isEqualTo(1);
            proxy.cut();
            assertThatThrownBy(client::receive).isInstanceOfAny(EOFException.class, SocketException.class);
        }
        try (Client client = new Client()) {
            client.send(FETCH, 2);
            assertThat(client.receive()).isEqualTo(2);
        }
    }

    @Test
    void shouldCutAConnectionThatIsHeldBack() throws IOException {
        try (Client client = new Client()) {
            proxy.stall(Direction.TO_CLIENT);
            client.send(FETCH, 1);
            await().atMost(TIMEOUT).until(() -> served.contains(1));
            proxy.cut();
            assertThatThrownBy(client::receive).isInstanceOfAny(EOFException.class, SocketException.class);
        }
    }

    @Test
    void shouldRefuseNewConnectionsAndKeepThoseThatAreOpen() throws IOException {
        try (Client before = new Client()) {
            before.send(FETCH, 1);
            assertThat(before.receive()).isEqualTo(1);
            proxy.refuse();
            try (Client refused = new Client()) {
                assertThatThrownBy(() -> {
                            refused.send(FETCH, 2);
                            refused.receive();
                        })
                        .isInstanceOfAny(EOFException.class, SocketException.class);
            }
            before.send(FETCH, 3);
            assertThat(before.receive()).isEqualTo(3);
        }
        proxy.heal();
        try (Client after = new Client()) {
            after.send(FETCH, 4);
            assertThat(after.receive()).isEqualTo(4);
        }
    }

    @Test
    void shouldDelayFramesAndLoseNone() throws IOException {
        try (Client client = new Client()) {
            proxy.delay(Duration.ofMillis(20));
            long startNanos = System.nanoTime();
            client.send(FETCH, 1);
            client.send(FETCH, 2);
            assertThat(client.receive()).isEqualTo(1);
            assertThat(client.receive()).isEqualTo(2);
            assertThat(Duration.ofNanos(System.nanoTime() - startNanos)).isGreaterThanOrEqualTo(Duration.ofMillis(40));
        }
    }

    @Test
    void shouldCloseTheClientWhereNoBrokerListens() throws Exception {
        broker.close();
        // until then it may accept one more
        accepting.join();
        try (Client client = new Client()) {
            assertThatThrownBy(() -> {
                        client.send(FETCH, 1);
                        client.receive();
                    })
                    .isInstanceOfAny(EOFException.class, SocketException.class);
        }
    }

    @Test
    void shouldRefuseImpossibleSettings() {
        assertThatThrownBy(() -> TcpProxy.start(0)).hasMessage("brokerPort=0, expected=1 to 65535");
        assertThatThrownBy(() -> proxy.delay(Duration.ofMillis(-1)))
                .hasMessage("delay=PT-0.001S, expected=zero or more");
    }

    /** Answers each request with its correlation id and nothing else. */
    private void serve() {
        try {
            while (true) {
                Socket client = broker.accept();
                Thread.ofVirtual().start(() -> serve(client));
            }
        } catch (IOException e) {
            // the test is over
        }
    }

    private void serve(Socket client) {
        try (client) {
            DataInputStream in = new DataInputStream(client.getInputStream());
            DataOutputStream out = new DataOutputStream(client.getOutputStream());
            while (true) {
                byte[] request = new byte[in.readInt()];
                in.readFully(request);
                int correlationId = ByteBuffer.wrap(request).getInt(4);
                served.add(correlationId);
                out.writeInt(Integer.BYTES);
                out.writeInt(correlationId);
            }
        } catch (IOException e) {
            // the client is gone
        }
    }

    private final class Client implements AutoCloseable {
        private final Socket socket = new Socket(InetAddress.ofLiteral(Ports.LOOPBACK), proxy.port());
        private final DataInputStream in = new DataInputStream(socket.getInputStream());
        private final DataOutputStream out = new DataOutputStream(socket.getOutputStream());

        Client() throws IOException {
            socket.setSoTimeout((int) TIMEOUT.toMillis());
        }

        void send(short apiKey, int correlationId) throws IOException {
            out.writeInt(2 * Short.BYTES + Integer.BYTES);
            out.writeShort(apiKey);
            out.writeShort(0);
            out.writeInt(correlationId);
        }

        int receive() throws IOException {
            assertThat(in.readInt()).isEqualTo(Integer.BYTES);
            return in.readInt();
        }

        void assertNothingComes() throws IOException {
            socket.setSoTimeout(150);
            assertThatThrownBy(in::readInt).isInstanceOf(SocketTimeoutException.class);
            socket.setSoTimeout((int) TIMEOUT.toMillis());
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
