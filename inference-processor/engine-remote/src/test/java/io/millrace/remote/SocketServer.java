package io.millrace.remote;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

/** An HTTP/1.1 server that says exactly what a test wants, byte by byte, and sees when the client hangs up. */
final class SocketServer implements AutoCloseable {

    private final ServerSocket listener;
    private final Script script;
    private final ConcurrentLinkedQueue<Socket> open = new ConcurrentLinkedQueue<>();

    /** What is said to a request, on a thread of its connection. */
    interface Script {
        void answer(Request request, Reply reply) throws Exception;
    }

    record Request(String method, String path, Map<String, String> headers, String body) {}

    private SocketServer(ServerSocket listener, Script script) {
        this.listener = listener;
        this.script = script;
    }

    static SocketServer start(Script script) throws IOException {
        return start(0, script);
    }

    static SocketServer start(int port, Script script) throws IOException {
        ServerSocket listener = new ServerSocket(port, 200, InetAddress.getLoopbackAddress());
        SocketServer server = new SocketServer(listener, script);
        Thread.ofVirtual().start(server::accept);
        return server;
    }

    int port() {
        return listener.getLocalPort();
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + port() + "/v1");
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket socket = listener.accept();
                socket.setTcpNoDelay(true);
                open.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            BufferedInputStream in = new BufferedInputStream(socket.getInputStream());
            while (true) {
                Request request = read(in);
                Reply reply = new Reply(socket, in);
                script.answer(request, reply);
                if (!reply.ended) {
                    return;
                }
            }
        } catch (Exception e) {
            // the client has gone, or the test has ended
        }
    }

    private static Request read(InputStream in) throws IOException {
        List<String> head = new ArrayList<>();
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            head.add(line);
        }
        Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        head.stream().skip(1).forEach(line -> {
            int colon = line.indexOf(':');
            headers.put(line.substring(0, colon), line.substring(colon + 1).strip());
        });
        List<String> start = List.of(head.getFirst().split(" ", -1));
        byte[] body = in.readNBytes(Integer.parseInt(headers.getOrDefault("Content-Length", "0")));
        return new Request(start.get(0), start.get(1), headers, new String(body, StandardCharsets.UTF_8));
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new IOException("the client has gone");
            }
            if (b != '\r') {
                bytes.write(b);
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** One response. Without {@link #end} the connection is closed after it. */
    static final class Reply {
        private final Socket socket;
        private final InputStream in;
        private final OutputStream out;
        private boolean ended;

        Reply(Socket socket, InputStream in) throws IOException {
            this.socket = socket;
            this.in = in;
            this.out = socket.getOutputStream();
        }

        Reply raw(String bytes) throws IOException {
            out.write(bytes.getBytes(StandardCharsets.UTF_8));
            out.flush();
            return this;
        }

        /** A response in one piece. */
        void whole(int status, String contentType, String body, String... headers) throws IOException {
            int length = body.getBytes(StandardCharsets.UTF_8).length;
            StringBuilder head = new StringBuilder("HTTP/1.1 " + status + " Status\r\n");
            List.of(headers).forEach(header -> head.append(header).append("\r\n"));
            raw(head + "Content-Type: " + contentType + "\r\nContent-Length: " + length + "\r\n\r\n" + body);
            ended = true;
        }

        void json(int status, String body, String... headers) throws IOException {
            whole(status, "application/json", body, headers);
        }

        /** Begins a stream of events. */
        Reply events() throws IOException {
            return raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        }

        Reply chunk(String text) throws IOException {
            int length = text.getBytes(StandardCharsets.UTF_8).length;
            return raw(Integer.toHexString(length) + "\r\n" + text + "\r\n");
        }

        Reply event(String data) throws IOException {
            return chunk("data: " + data + "\n\n");
        }

        /** A chunk of a chat with this text. */
        Reply said(String text) throws IOException {
            return event("{\"model\":\"served-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + text
                    + "\"},\"finish_reason\":null}]}");
        }

        Reply finished(String reason) throws IOException {
            return event("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" + reason + "\"}]}");
        }

        Reply usage(int prompt, int completion) throws IOException {
            return event("{\"choices\":[],\"usage\":{\"prompt_tokens\":" + prompt + ",\"completion_tokens\":"
                    + completion + "}}");
        }

        void end() throws IOException {
            raw("0\r\n\r\n");
            ended = true;
        }

        /** An answer of one part, with all that belongs to it. */
        void answer(String text) throws IOException {
            events().said(text).finished("stop").usage(3, 1).event("[DONE]").end();
        }

        /** Waits until the client closes the connection. */
        void awaitHangUp(CountDownLatch seen) throws IOException {
            try {
                while (in.read() >= 0) {
                    // whatever comes
                }
            } finally {
                seen.countDown();
            }
        }

        /** Which connection it comes over. */
        Object connection() {
            return socket;
        }

        void hangUp() throws IOException {
            socket.close();
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
