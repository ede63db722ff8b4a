package io.millrace.cli;

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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** OpenAI's completions and llama.cpp's metrics on loopback, for who has the key: as many tokens as are asked for, each of them " a". */
final class CompletionsServer implements AutoCloseable {

    static final String KEY = "sk-of-the-test";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TOKEN = " a";

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger processing = new AtomicInteger();
    private final AtomicInteger generated = new AtomicInteger();
    private final AtomicInteger wholes = new AtomicInteger();
    private final AtomicInteger streams = new AtomicInteger();
    private final HttpServer server;
    private volatile int wholeStreams = Integer.MAX_VALUE;

    private CompletionsServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 500);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    static CompletionsServer start() throws IOException {
        return new CompletionsServer();
    }

    /** After so many streams, those that follow end before their time. */
    CompletionsServer cuttingStreamsOffAfter(int count) {
        wholeStreams = count;
        return this;
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/v1");
    }

    /** Answers that were asked for in one piece, and in a stream. */
    int wholes() {
        return wholes.get();
    }

    int streams() {
        return streams.get();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (!("Bearer " + KEY).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
                whole(exchange, 401, "{\"error\":\"no key\"}");
                return;
            }
            switch (exchange.getRequestURI().getPath()) {
                case "/metrics" -> whole(exchange, 200, """
                        llamacpp:requests_processing %d
                        llamacpp:requests_deferred 0
                        llamacpp:prompt_tokens_total 0
                        llamacpp:tokens_predicted_total %d
                        """.formatted(processing.get(), generated.get()));
                case "/v1/completions" -> complete(exchange, JSON.readTree(exchange.getRequestBody()));
                default -> whole(exchange, 404, "{\"error\":\"" + exchange.getRequestURI() + "\"}");
            }
        }
    }

    private void complete(HttpExchange exchange, JsonNode request) throws IOException {
        processing.incrementAndGet();
        try {
            int tokens = request.path("max_tokens").asInt();
            generated.addAndGet(tokens);
            if (request.path("stream").asBoolean()) {
                stream(exchange, tokens, streams.incrementAndGet() > wholeStreams);
            } else {
                wholes.incrementAndGet();
                whole(
                        exchange,
                        200,
                        "{\"choices\":[{\"text\":\"" + TOKEN.repeat(tokens) + "\"}]," + usage(tokens) + "}");
            }
        } finally {
            processing.decrementAndGet();
        }
    }

    private static void stream(HttpExchange exchange, int tokens, boolean cutsOff) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(200, cutsOff ? 10_000 : 0);
        OutputStream out = exchange.getResponseBody();
        for (int i = 0; i < tokens; i++) {
            say(out, "{\"choices\":[{\"index\":0,\"text\":\"" + TOKEN + "\",\"finish_reason\":null}]}");
        }
        if (!cutsOff) {
            say(out, "{\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":\"length\"}]}");
            say(out, "{\"choices\":[]," + usage(tokens) + "}");
            say(out, "[DONE]");
        }
    }

    private static String usage(int tokens) {
        return "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":" + tokens + "}";
    }

    private static void say(OutputStream out, String event) throws IOException {
        out.write(("data: " + event + "\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private static void whole(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
