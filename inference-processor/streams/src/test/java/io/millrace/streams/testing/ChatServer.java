package io.millrace.streams.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * A model server that speaks OpenAI's streaming API on loopback and answers a chat with its last turn, word by word. Who asks is told
 * by the first part of the path, so that a test can hold some back and answer others. It can go away and come back at its port.
 */
public final class ChatServer implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(10);

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger answered = new AtomicInteger();
    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger lives = new AtomicInteger(); // an answer of an earlier one is held no more
    private final int port;
    private volatile Predicate<String> holds = who -> false;
    private volatile HttpServer server;

    private ChatServer() throws IOException {
        server = listen(0);
        port = server.getAddress().getPort();
    }

    /** Starts one at a free port. */
    public static ChatServer start() throws IOException {
        return new ChatServer();
    }

    /** Where {@code who} asks. */
    public URI url(String who) {
        return URI.create("http://127.0.0.1:" + port + "/" + who + "/v1");
    }

    /** Begins answers of those who are held, and does not end them for as long as they are. */
    public ChatServer holding(Predicate<String> who) {
        holds = who;
        return this;
    }

    /** Requests whose answers were begun, and those whose answers were ended. */
    public int begun() {
        return begun.get();
    }

    public int answered() {
        return answered.get();
    }

    /** Breaks all connections; new ones are refused. */
    public void goAway() {
        server.stop(0);
    }

    /** At the same port. */
    public void comeBack() throws IOException {
        server = listen(port);
    }

    private HttpServer listen(int atPort) throws IOException {
        HttpServer started = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), atPort), 500);
        int life = lives.incrementAndGet();
        started.setExecutor(threads);
        started.createContext("/", exchange -> answer(life, exchange));
        started.start();
        return started;
    }

    private void answer(int life, HttpExchange exchange) throws IOException {
        try (exchange) {
            JsonNode request = JSON.readTree(exchange.getRequestBody());
            String who = exchange.getRequestURI().getPath().split("/", -1)[1];
            String text = request.path("messages")
                    .path(request.path("messages").size() - 1)
                    .path("content")
                    .asText();
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
            exchange.sendResponseHeaders(200, 0);
            OutputStream out = exchange.getResponseBody();
            List<String> words = List.of(text.split("(?= )", -1));
            say(out, delta(words.getFirst()));
            begun.incrementAndGet();
            while (holds.test(who)
                    && lives.get() == life
                    && !Thread.currentThread().isInterrupted()) {
                LockSupport.parkNanos(BETWEEN_LOOKS.toNanos());
            }
            for (String word : words.subList(1, words.size())) {
                say(out, delta(word));
            }
            say(out, "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}");
            say(
                    out,
                    "{\"choices\":[],\"usage\":{\"prompt_tokens\":" + words.size() + ",\"completion_tokens\":"
                            + words.size() + "}}");
            say(out, "[DONE]");
            answered.incrementAndGet();
        }
    }

    private static String delta(String word) throws IOException {
        return "{\"model\":\"served-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                + JSON.writeValueAsString(word) + "},\"finish_reason\":null}]}";
    }

    private static void say(OutputStream out, String event) throws IOException {
        out.write(("data: " + event + "\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
