package io.millrace.streams.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A schema registry over HTTP that goes away and comes back on its port, or hangs on one schema. It knows Confluent's two calls that
 * serdes make: to register a schema, and to get one by its id.
 */
public final class RegistryStub implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String BY_ID = "/schemas/ids/";

    private final List<String> schemas = new CopyOnWriteArrayList<>(); // that of id i is at i - 1
    private final Set<Integer> hanging = ConcurrentHashMap.newKeySet();
    private final Set<Integer> asked = ConcurrentHashMap.newKeySet();
    private final CountDownLatch released = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final int port;
    private HttpServer server;

    private RegistryStub(HttpServer server) {
        this.server = server;
        this.port = server.getAddress().getPort();
    }

    public static RegistryStub start() throws IOException {
        RegistryStub stub = new RegistryStub(HttpServer.create(address(0), 0));
        stub.serve();
        return stub;
    }

    /** For {@code schema.registry.url}. */
    public String url() {
        return "http://127.0.0.1:" + port;
    }

    /** The same schema under one more id. */
    public int registerAgain(int id) {
        schemas.add(schemas.get(id - 1));
        return schemas.size();
    }

    /** From now on nobody who asks for this schema gets an answer, until {@link #release}. */
    public void hang(int id) {
        hanging.add(id);
    }

    /** Whether anybody has asked for this schema. */
    public boolean wasAskedFor(int id) {
        return asked.contains(id);
    }

    /** Answers those who wait, and hangs no more. */
    public void release() {
        hanging.clear();
        released.countDown();
    }

    /** Nobody listens any more. */
    public void stop() {
        server.stop(0);
    }

    /** Back on the same port, with the same schemas. */
    public void restart() throws IOException {
        server = HttpServer.create(address(port), 0);
        serve();
    }

    @Override
    public void close() {
        release();
        stop();
        threads.shutdownNow();
    }

    private void serve() {
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        if (path.startsWith(BY_ID)) {
            int id = Integer.parseInt(path.substring(BY_ID.length()));
            asked.add(id);
            if (hanging.contains(id)) {
                awaitRelease();
            }
            respond(exchange, JSON.createObjectNode().put("schema", schemas.get(id - 1)));
        } else {
            String schema =
                    JSON.readTree(exchange.getRequestBody()).path("schema").asText();
            respond(exchange, JSON.createObjectNode().put("id", idOf(schema)));
        }
    }

    private void awaitRelease() {
        try {
            released.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized int idOf(String schema) {
        if (!schemas.contains(schema)) {
            schemas.add(schema);
        }
        return schemas.indexOf(schema) + 1;
    }

    private static void respond(HttpExchange exchange, JsonNode body) throws IOException {
        byte[] bytes = body.toString().getBytes(UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }

    private static InetSocketAddress address(int port) {
        return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port);
    }
}
