package io.millrace.bench.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Straight to a server that speaks OpenAI's API, as a script without Kafka would: plain HTTP clients, each of which sends its
 * next prompt when its last is answered, and takes the answer in one piece or, as Millrace does, token by token.
 *
 * <p>Threads: one for each client.
 */
final class DirectRoute implements Route {

    private static final Duration PATIENCE = Duration.ofMinutes(15);
    private static final double NANOS_PER_MILLI = 1e6;
    private static final int OK = 200;

    /** As many clients as there are at most: each may have kept one connection. */
    private static final int MOST_ATTEMPTS = 64;

    private static final String DATA = "data: ";
    private static final String DONE = "[DONE]";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Address address;
    private final boolean streamed;
    private final Endings endings;
    private final ExecutorService clients;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();

    /**
     * Whom to ask.
     *
     * @param url its OpenAI address
     * @param model its name for the model
     * @param headers of each request
     */
    record Address(URI url, String model, Map<String, String> headers) {}

    private DirectRoute(Address address, boolean streamed, Endings endings, ExecutorService clients) {
        this.address = address;
        this.streamed = streamed;
        this.endings = endings;
        this.clients = clients;
    }

    /** Prompts wait until one of so many clients is free. */
    static DirectRoute closed(Address address, boolean streamed, int clients, Endings endings) {
        return new DirectRoute(
                address,
                streamed,
                endings,
                Executors.newFixedThreadPool(clients, Thread.ofVirtual().factory()));
    }

    /** Each prompt is sent at once, as by users who know nothing of one another. */
    static DirectRoute open(Address address, Endings endings) {
        return new DirectRoute(address, false, endings, Executors.newVirtualThreadPerTaskExecutor());
    }

    @Override
    public void send(Prompt prompt) {
        clients.execute(() -> ask(prompt));
    }

    private void ask(Prompt prompt) {
        try {
            long start = System.nanoTime();
            Reply reply = streamed ? inPieces(prompt) : inOnePiece(prompt);
            long end = System.nanoTime();
            if (reply.status != OK || reply.tokens != prompt.request().getMaxTokens()) {
                endings.failed("prompt " + prompt.index() + ": " + reply + ", expected="
                        + prompt.request().getMaxTokens() + " tokens");
                return;
            }
            endings.ended(prompt.index(), end, new Endings.Answer(reply.text, (end - start) / NANOS_PER_MILLI));
        } catch (IOException e) {
            endings.failed("prompt " + prompt.index() + ": " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private record Reply(int status, int tokens, String text) {}

    private Reply inOnePiece(Prompt prompt) throws IOException, InterruptedException {
        HttpResponse<byte[]> response = send(prompt, HttpResponse.BodyHandlers.ofByteArray());
        JsonNode answer = MAPPER.readTree(response.body());
        return new Reply(
                response.statusCode(),
                answer.at("/usage/completion_tokens").asInt(),
                response.statusCode() == OK ? answer.at("/choices/0/text").asText() : answer.toString());
    }

    private Reply inPieces(Prompt prompt) throws IOException, InterruptedException {
        HttpResponse<Stream<String>> response = send(prompt, HttpResponse.BodyHandlers.ofLines());
        try (Stream<String> lines = response.body()) {
            if (response.statusCode() != OK) {
                return new Reply(response.statusCode(), 0, lines.collect(Collectors.joining(" ")));
            }
            int tokens = 0;
            var text = new StringBuilder();
            for (String line : (Iterable<String>) lines::iterator) {
                if (line.startsWith(DATA) && !line.endsWith(DONE)) {
                    JsonNode event = MAPPER.readTree(line.substring(DATA.length()));
                    text.append(event.at("/choices/0/text").asText());
                    tokens = Math.max(
                            tokens, event.at("/usage/completion_tokens").asInt());
                }
            }
            return new Reply(response.statusCode(), tokens, text.toString());
        } catch (UncheckedIOException e) { // a stream that is cut off
            throw e.getCause();
        }
    }

    /**
     * Again where no response begins: a server closes connections that it kept, and what was just sent over one is lost. Several that
     * were kept may be closed together.
     */
    private <T> HttpResponse<T> send(Prompt prompt, HttpResponse.BodyHandler<T> body)
            throws IOException, InterruptedException {
        HttpRequest request = request(prompt);
        for (int attempt = 1; ; attempt++) {
            try {
                return http.send(request, body);
            } catch (ConnectException | HttpTimeoutException e) {
                throw e; // no connection that was kept
            } catch (IOException e) {
                if (attempt == MOST_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private HttpRequest request(Prompt prompt) throws IOException {
        ObjectNode body = MAPPER.createObjectNode()
                .put("model", address.model)
                .put("prompt", prompt.request().getPrompt())
                .put("max_tokens", prompt.request().getMaxTokens())
                .put("temperature", 0)
                .put("ignore_eos", true);
        if (streamed) {
            body.put("stream", true).putObject("stream_options").put("include_usage", true);
        }
        RemoteBench.EXTRA_BODY.forEach((name, value) -> body.set(name, MAPPER.valueToTree(value)));
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address.url + "/completions"))
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(MAPPER.writeValueAsBytes(body)));
        address.headers.forEach(request::header);
        return request.build();
    }

    @Override
    public void close() {
        clients.shutdownNow();
        http.shutdownNow();
    }
}
