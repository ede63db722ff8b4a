package io.millrace.bench.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class DirectRouteTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String BODY =
            "{\"choices\":[{\"text\":\" a\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}";

    private final List<Prompt> prompts = Prompt.random(Plan.Burst.of(4, 1, 1), 1);
    private final Endings endings = new Endings(prompts.size());

    @Test
    @Timeout(60)
    void shouldAskAgainWhereTheServerHasClosedAConnectionThatItKept() throws Exception {
        try (var listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> answerOnceAConnection(listener));
            try (var route = DirectRoute.closed(at(listener.getLocalPort()), false, 1, endings)) {
                prompts.forEach(route::send);
                endings.await(PATIENCE);
            }
        }
        assertThat(endings.answers())
                .hasSize(4)
                .allMatch(answer -> answer.text().equals(" a"));
    }

    /** Says that it keeps a connection, and ends it at the next request. */
    private static void answerOnceAConnection(ServerSocket listener) {
        while (!listener.isClosed()) {
            try (Socket socket = listener.accept()) {
                var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
                readRequest(in);
                socket.getOutputStream()
                        .write(("HTTP/1.1 200 OK\r\nContent-Length: " + BODY.length() + "\r\n\r\n" + BODY)
                                .getBytes(StandardCharsets.UTF_8));
                readRequest(in);
            } catch (IOException e) {
                // the client has gone, or the test has ended
            }
        }
    }

    private static void readRequest(BufferedReader in) throws IOException {
        int length = 0;
        for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
            if (line.regionMatches(true, 0, "Content-Length:", 0, 15)) {
                length = Integer.parseInt(line.substring(15).strip());
            }
        }
        for (int i = 0; i < length; i++) {
            var _ = in.read();
        }
    }

    @Test
    @Timeout(60)
    void shouldSayWhichPromptFoundNobody() throws Exception {
        int nobody;
        try (var gone = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = gone.getLocalPort();
        }
        try (var route = DirectRoute.closed(at(nobody), true, 1, endings)) {
            route.send(prompts.getFirst());
            assertThatThrownBy(() -> endings.await(PATIENCE))
                    .isInstanceOf(UnansweredException.class)
                    .hasMessageStartingWith("prompt 0: java.net.ConnectException");
        }
    }

    private static DirectRoute.Address at(int port) {
        return new DirectRoute.Address(URI.create("http://127.0.0.1:" + port + "/v1"), "m", Map.of());
    }
}
