package io.millrace.bench.chaos;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * What a worker says of itself over HTTP.
 *
 * <p>Threads: any.
 */
final class WorkerMetrics {

    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(PATIENCE).build();

    /** All metrics by name, summed over their labels; empty if the worker does not answer. */
    Map<String, Double> scrape(int port) throws InterruptedException {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                .timeout(PATIENCE)
                .build();
        try {
            return parse(
                    http.send(request, HttpResponse.BodyHandlers.ofString()).body());
        } catch (IOException e) {
            return Map.of(); // not up, stopped or gone
        }
    }

    static Map<String, Double> parse(String text) {
        Map<String, Double> sums = new HashMap<>();
        text.lines().filter(line -> !line.isEmpty() && !line.startsWith("#")).forEach(line -> {
            int value = line.lastIndexOf(' ');
            int labels = line.indexOf('{');
            String name = line.substring(0, labels < 0 ? value : labels);
            sums.merge(name, Double.valueOf(line.substring(value + 1)), Double::sum);
        });
        return sums;
    }
}
