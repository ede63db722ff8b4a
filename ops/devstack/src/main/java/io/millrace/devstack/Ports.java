package io.millrace.devstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** TCP ports of 127.0.0.1. */
final class Ports {
    static final String LOOPBACK = "127.0.0.1";

    private Ports() {}

    static int free() {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.ofLiteral(LOOPBACK), 0));
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no free port on " + LOOPBACK, e);
        }
    }

    static void requireFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.ofLiteral(LOOPBACK), port));
        } catch (IOException e) {
            throw new KafkaStartException(
                    "port=" + port + ", expected=a free port: another process listens on " + LOOPBACK + ":" + port, e);
        }
    }
}
