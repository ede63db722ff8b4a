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

/**
 * Straight to a server that speaks OpenAI's API, as a script without Kafka would: plain HTTP clients, each of which sends its
 * next prompt when its last is answered, and takes the answer in one piece.
 *
 * <p>Threads: one for each client.
 */
final class DirectRoute implements Route {

    private static final Duration PATIENCE = Duration.ofMinutes(15);
    private static final double NANOS_PER_MILLI = 1e6;
    private static final int OK = 200;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final URI url;
    private final String model;
    private final Endings endings;
    private final ExecutorService clients;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();

    private DirectRoute(URI url, String model, Endings endings, ExecutorService clients) {
        this.url = URI.create(url + "/completions");
        this.model = model;
        this.endings = endings;
        this.clients = clients;
    }

    /** Prompts wait until one of so many clients is free. */
    static DirectRoute closed(URI url, String model, int clients, Endings endings) {
        return new DirectRoute(
                url,
                model,
                endings,
                Executors.newFixedThreadPool(clients, Thread.ofVirtual().factory()));
    }

    /** Each prompt is sent at once, as by users who know nothing of one another. */
    static DirectRoute open(URI url, String model, Endings endings) {
        return new DirectRoute(url, model, endings, Executors.newVirtualThreadPerTaskExecutor());
    }

    @Override
    public void send(Prompt prompt) {
        clients.execute(() -> ask(prompt));
    }

    private void ask(Prompt prompt) {
        try {
            long start = System.nanoTime();
            HttpResponse<byte[]> response = http.send(request(prompt), HttpResponse.BodyHandlers.ofByteArray());
            long end = System.nanoTime();
            JsonNode answer = MAPPER.readTree(response.body());
            int tokens = answer.at("/usage/completion_tokens").asInt();
            if (response.statusCode() != OK || tokens != prompt.request().getMaxTokens()) {
                endings.failed("prompt " + prompt.index() + ": " + response.statusCode() + " " + answer + ", expected="
                        + prompt.request().getMaxTokens() + " tokens");
                return;
            }
            String text = answer.at("/choices/0/text").asText();
            endings.ended(prompt.index(), end, new Endings.Answer(text, (end - start) / NANOS_PER_MILLI));
        } catch (IOException e) {
            endings.failed("prompt " + prompt.index() + ": " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private HttpRequest request(Prompt prompt) throws IOException {
        ObjectNode body = MAPPER.createObjectNode()
                .put("model", model)
                .put("prompt", prompt.request().getPrompt())
                .put("max_tokens", prompt.request().getMaxTokens())
                .put("temperature", 0)
                .put("ignore_eos", true);
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
