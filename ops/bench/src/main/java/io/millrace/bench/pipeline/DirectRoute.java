package io.millrace.bench.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
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
    private static final String DATA = "data: ";
    private static final String DONE = "[DONE]";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final URI url;
    private final String model;
    private final boolean streamed;
    private final Endings endings;
    private final ExecutorService clients;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();

    private DirectRoute(URI url, String model, boolean streamed, Endings endings, ExecutorService clients) {
        this.url = URI.create(url + "/completions");
        this.model = model;
        this.streamed = streamed;
        this.endings = endings;
        this.clients = clients;
    }

    /** Prompts wait until one of so many clients is free. */
    static DirectRoute closed(URI url, String model, boolean streamed, int clients, Endings endings) {
        return new DirectRoute(
                url,
                model,
                streamed,
                endings,
                Executors.newFixedThreadPool(clients, Thread.ofVirtual().factory()));
    }

    /** Each prompt is sent at once, as by users who know nothing of one another. */
    static DirectRoute open(URI url, String model, Endings endings) {
        return new DirectRoute(url, model, false, endings, Executors.newVirtualThreadPerTaskExecutor());
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
        int tokens = 0;
        var text = new StringBuilder();
        try (Stream<String> lines = response.body()) {
            for (String line : (Iterable<String>) lines::iterator) {
                if (line.startsWith(DATA) && !line.endsWith(DONE)) {
                    JsonNode event = MAPPER.readTree(line.substring(DATA.length()));
                    text.append(event.at("/choices/0/text").asText());
                    tokens = Math.max(
                            tokens, event.at("/usage/completion_tokens").asInt());
                }
            }
        }
        return new Reply(response.statusCode(), tokens, text.toString());
    }

    /** Once again where no response begins: a server closes connections that it kept, and what was just sent over one is lost. */
    private <T> HttpResponse<T> send(Prompt prompt, HttpResponse.BodyHandler<T> body)
            throws IOException, InterruptedException {
        HttpRequest request = request(prompt);
        try {
            return http.send(request, body);
        } catch (IOException e) {
            return http.send(request, body);
        }
    }

    private HttpRequest request(Prompt prompt) throws IOException {
        ObjectNode body = MAPPER.createObjectNode()
                .put("model", model)
                .put("prompt", prompt.request().getPrompt())
                .put("max_tokens", prompt.request().getMaxTokens())
                .put("temperature", 0)
                .put("ignore_eos", true);
        if (streamed) {
            body.put("stream", true).putObject("stream_options").put("include_usage", true);
        }
        RemoteBench.EXTRA_BODY.forEach((name, value) -> body.set(name, MAPPER.valueToTree(value)));
        return HttpRequest.newBuilder(url)
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(MAPPER.writeValueAsBytes(body)))
                .build();
    }

    @Override
    public void close() {
        clients.shutdownNow();
        http.shutdownNow();
    }
}
