package io.millrace.remote;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.remote.protocol.FaultException;
import io.millrace.remote.protocol.Json;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one signal over HTTP, again and again.
 *
 * <p>Threads: a virtual one of its own, until it is closed.
 */
final class SlackSignal implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(SlackSignal.class);

    private final Connections connections;
    private final RemoteOptions.Slack options;
    private final URI url;
    private final Optional<RemoteOptions.Connection> headers;
    private final SlackGate.BySignal gate;
    private final RemoteClock clock;
    private final Thread thread;

    /**
     * A signal at a url.
     *
     * @param headers sent along, secrets too; empty: none
     */
    SlackSignal(
            Connections connections,
            RemoteOptions.Slack options,
            URI url,
            Optional<RemoteOptions.Connection> headers,
            SlackGate.BySignal gate,
            RemoteClock clock) {
        this.connections = connections;
        this.options = options;
        this.url = url;
        this.headers = headers;
        this.gate = gate;
        this.clock = clock;
        thread = Thread.ofVirtual().name("millrace-slack-" + url.getHost()).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        boolean failedBefore = false;
        try {
            while (!Thread.currentThread().isInterrupted()) {
                try {
                    gate.read(value(), clock.nanoTime());
                    failedBefore = false;
                } catch (IOException | FaultException | RuntimeException e) {
                    // whatever it is: a signal that is read no more would keep the gate closed for ever
                    gate.failed(e.toString());
                    if (!failedBefore) {
                        log.warn(
                                "{} could not be read at {}: {}",
                                options.signal(),
                                RemoteOptions.shown(url),
                                e.toString());
                    }
                    failedBefore = true;
                }
                Thread.sleep(options.interval());
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    private double value() throws IOException, InterruptedException, FaultException {
        return switch (options.signal()) {
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
        SmallResponse response = SmallResponse.to(request.build(), connections, options.maxAge());
        if (response.status() != 200) {
            throw new IOException("status=" + response.status() + ", expected=200");
        }
        return response.body();
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
