package io.millrace.remote;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.protocol.FaultException;
import io.millrace.remote.protocol.Json;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Reads a slack signal over HTTP.
 *
 * <p>Threads: any.
 */
final class SignalReader {

    private final Connections connections;
    private final RemoteOptions.Slack slack;
    private final URI url;
    private final Optional<RemoteOptions.Connection> headers;

    private SignalReader(
            Connections connections, RemoteOptions.Slack slack, URI url, Optional<RemoteOptions.Connection> headers) {
        this.connections = connections;
        this.slack = slack;
        this.url = url;
        this.headers = headers;
    }

    /** The signal of an endpoint's slack: headers, secrets too, are sent only to hosts and ports that are endpoints. */
    static SignalReader of(Connections connections, RemoteOptions options, RemoteOptions.Slack slack, Server server) {
        URI url =
                slack.url().or(server::metricsUrl).orElseGet(() -> server.url().resolve("/metrics"));
        boolean isOurs = options.endpoints().stream().anyMatch(endpoint -> endpoint.isAt(url));
        return new SignalReader(connections, slack, url, isOurs ? Optional.of(options.connection()) : Optional.empty());
    }

    URI url() {
        return url;
    }

    /**
     * The value now, waited for no longer than readings may be old.
     *
     * @throws IOException no answer, or none with the signal
     * @throws FaultException an answer that is no JSON, to a query
     * @throws IllegalArgumentException when a secret is not where it should be
     */
    double read() throws IOException, InterruptedException, FaultException {
        return switch (slack.signal()) {
            case RemoteOptions.Metric metric ->
                PrometheusText.sum(get(url), metric.name())
                        .orElseThrow(
                                () -> new IOException("metric=" + metric.name() + ", expected=among those served"));
            case RemoteOptions.Query query -> queried(Json.parse(get(at(query))));
        };
    }

    /** What the url asks with, a tenant or a key, goes along. */
    private URI at(RemoteOptions.Query query) {
        String own = url.getRawQuery() == null ? "" : url.getRawQuery() + "&";
        return URI.create(RemoteOptions.shown(url).replaceAll("/+$", "") + "/api/v1/query?" + own + "query="
                + URLEncoder.encode(query.expression(), StandardCharsets.UTF_8));
    }

    /** The sum over a vector, or a scalar. */
    private static double queried(JsonNode response) throws IOException {
        JsonNode result = response.path("data").path("result");
        boolean scalar = response.path("data").path("resultType").asText().equals("scalar");
        if (!response.path("status").asText().equals("success") || result.isEmpty()) {
            throw new IOException("query answered " + response.path("status").asText() + " with " + result.size()
                    + " results, expected=at least one");
        }
        double value = 0;
        try {
            if (scalar) {
                value = Double.parseDouble(result.path(1).asText());
            } else {
                for (JsonNode series : result) {
                    value += Double.parseDouble(series.path("value").path(1).asText());
                }
            }
        } catch (NumberFormatException e) {
            throw new IOException("query result is no number", e);
        }
        if (Double.isNaN(value)) { // what PromQL makes of 0/0, and no point of a curve
            throw new IOException("query result is no number");
        }
        return value;
    }

    private String get(URI from) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(from);
        headers.ifPresent(connection -> {
            connection.headers().forEach(request::setHeader);
            connection.secrets().forEach(request::setHeader);
        });
        SmallResponse response = SmallResponse.to(request.build(), connections, slack.maxAge());
        if (response.status() != 200) {
            throw new IOException("status=" + response.status() + ", expected=200");
        }
        return response.body();
    }
}
