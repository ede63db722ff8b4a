package io.millrace.devstack;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What a model server says of its own work in Prometheus' text format: llama.cpp's server or vLLM.
 *
 * <p>Threads: any.
 */
public final class ServerMetrics implements AutoCloseable {

    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final int OK = 200;

    private final URI url;
    private final Map<String, String> headers;
    private final HttpClient http;

    private ServerMetrics(URI url, Map<String, String> headers, HttpClient http) {
        this.url = url;
        this.headers = headers;
        this.http = http;
    }

    /** Whose metrics they are, and what they are called. */
    public enum Kind {
        LLAMA_CPP(
                "llamacpp:requests_processing",
                "llamacpp:requests_deferred",
                "llamacpp:prompt_tokens_total",
                "llamacpp:tokens_predicted_total"),
        VLLM(
                "vllm:num_requests_running",
                "vllm:num_requests_waiting",
                "vllm:prompt_tokens_total",
                "vllm:generation_tokens_total");

        private final String processing;
        private final String deferred;
        private final String promptTokens;
        private final String generatedTokens;

        Kind(String processing, String deferred, String promptTokens, String generatedTokens) {
            this.processing = processing;
            this.deferred = deferred;
            this.promptTokens = promptTokens;
            this.generatedTokens = generatedTokens;
        }

        /** The metric of {@link Load#processing}. */
        public String processing() {
            return processing;
        }
    }

    /**
     * What it is doing.
     *
     * @param processing requests that it works on
     * @param deferred requests that wait: the server's own queue
     * @param promptTokens computed since its start
     * @param generatedTokens drawn since its start
     */
    public record Load(int processing, int deferred, long promptTokens, long generatedTokens) {}

    /** At this address, which is asked only when something is read. */
    public static ServerMetrics at(URI url) {
        return at(url, Map.of());
    }

    /** The same with headers of each request: llama.cpp's server shows metrics to who has its key. */
    public static ServerMetrics at(URI url, Map<String, String> headers) {
        return new ServerMetrics(
                url,
                Map.copyOf(headers),
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(ANSWER)
                        .build());
    }

    /**
     * Whose they are.
     *
     * @throws IOException it does not answer, or shows the metrics of no {@link Kind}
     */
    public Kind kind() throws IOException, InterruptedException {
        return kind(text());
    }

    /**
     * By its own metrics, which some servers update only between two steps.
     *
     * @throws IOException as {@link #kind}
     */
    public Load load() throws IOException, InterruptedException {
        return load(text());
    }

    private String text() throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(url).timeout(ANSWER);
        headers.forEach(request::header);
        HttpResponse<String> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != OK) {
            throw new IOException(url + ": status=" + answer.statusCode() + ", expected=200");
        }
        return answer.body();
    }

    static Kind kind(String text) throws IOException {
        for (Kind kind : Kind.values()) {
            if (sum(text, kind.processing).isPresent()) {
                return kind;
            }
        }
        throw new IOException("metrics without " + Kind.LLAMA_CPP.processing + " and " + Kind.VLLM.processing
                + ", expected=one of them");
    }

    static Load load(String text) throws IOException {
        Kind kind = kind(text);
        return new Load(
                (int) metric(text, kind.processing),
                (int) metric(text, kind.deferred),
                (long) metric(text, kind.promptTokens),
                (long) metric(text, kind.generatedTokens));
    }

    private static double metric(String text, String name) throws IOException {
        return sum(text, name)
                .orElseThrow(() -> new IOException("metric=" + name + ", expected=one that the server shows"));
    }

    /** Over a metric's series: vLLM has one for each of its engines. */
    private static OptionalDouble sum(String text, String name) {
        double[] values = text.lines()
                .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .toArray();
        return values.length == 0
                ? OptionalDouble.empty()
                : OptionalDouble.of(java.util.Arrays.stream(values).sum());
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
