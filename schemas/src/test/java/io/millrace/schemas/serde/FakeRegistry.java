package io.millrace.schemas.serde;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** An HTTP server that writes down each request and answers as a test tells it to. */
final class FakeRegistry implements AutoCloseable {

    /** A request as it came: {@code GET /path?query}. */
    record Request(String line, String body, HttpExchange exchange) {
        String header(String name) {
            return String.valueOf(exchange.getRequestHeaders().getFirst(name));
        }
    }

    /** Answers a request. */
    interface Script {
        void answer(Request request) throws IOException;
    }

    final List<Request> requests = new CopyOnWriteArrayList<>();
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private volatile Script script;

    FakeRegistry(HttpServer server, Script script) {
        this.server = server;
        this.script = script;
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    static FakeRegistry start(Script script) {
        try {
            return new FakeRegistry(HttpServer.create(anyPort(), 0), script);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    /** Answers each request alike. */
    static Script always(int status, String body) {
        return request -> respond(request, status, body);
    }

    static void respond(Request request, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(UTF_8);
        request.exchange().sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        if (bytes.length > 0) {
            try (OutputStream out = request.exchange().getResponseBody()) {
                out.write(bytes);
            }
        }
        request.exchange().close();
    }

    void script(Script next) {
        script = next;
    }

    String url() {
        return "http://localhost:" + server.getAddress().getPort();
    }

    int port() {
        return server.getAddress().getPort();
    }

    List<String> lines() {
        return requests.stream().map(Request::line).toList();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
        String line = exchange.getRequestMethod() + " " + exchange.getRequestURI();
        Request request = new Request(line, body, exchange);
        requests.add(request);
        script.answer(request);
    }
}
