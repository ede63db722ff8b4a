package io.millrace.bench.chaos;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a worker says of itself over HTTP.
 *
 * <p>Threads: any.
 */
final class WorkerMetrics {

    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private static final Pattern AREA = Pattern.compile("area=\"\\w+\"");

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(PATIENCE).build();

    /** All metrics, summed over their labels, and over those beside {@code area}; empty if the worker does not answer. */
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

    /** By name, and also by {@code name{area="…"}}, which tells heap from other memory. */
    static Map<String, Double> parse(String text) {
        Map<String, Double> sums = new HashMap<>();
        for (String line : text.lines().toList()) {
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            int valueAt = line.lastIndexOf(' ');
            int labelsAt = line.indexOf('{');
            String name = line.substring(0, labelsAt < 0 ? valueAt : labelsAt);
            double value = Double.parseDouble(line.substring(valueAt + 1));
            sums.merge(name, value, Double::sum);
            Matcher area = AREA.matcher(line);
            if (area.find()) {
                sums.merge(name + "{" + area.group() + "}", value, Double::sum);
            }
        }
        return sums;
    }
}
