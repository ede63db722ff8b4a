package io.millrace.remote;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.remote.RemoteOptions.OpenAi;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.protocol.FaultException;
import io.millrace.remote.protocol.Json;
import io.millrace.remote.protocol.ServerFaults;
import java.io.IOException;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * Asks the servers of a remote engine whether they are there and have the model, without a prompt: over {@code /models} (OpenAI's),
 * or {@code /v2/models/MODEL/ready} (Open Inference Protocol).
 */
public final class EndpointProbe {

    private final RemoteOptions options;
    private final HttpClient client;

    private EndpointProbe(RemoteOptions options, HttpClient client) {
        this.options = options;
        this.client = client;
    }

    /** What was found. */
    public enum Health {
        /** It answers, and has the model. */
        FINE,
        /** It answers, and what it says of its models does not name this one. Some servers take any name. */
        DOUBTFUL,
        /** It does not answer, or refuses. */
        AWAY
    }

    /**
     * One endpoint.
     *
     * @param url without what may be secret
     * @param message for people
     * @param maxModelLen where the server tells it, as vLLM does
     */
    public record Report(String endpoint, String url, Health health, String message, OptionalInt maxModelLen) {}

    /**
     * Asks each endpoint once, and waits for each as long as the options say.
     *
     * @throws IllegalArgumentException when a file or a variable that the options name is not what it should be
     */
    public static List<Report> probe(RemoteOptions options) throws InterruptedException {
        try (HttpClient client = RemoteEngine.client(options.connection())) {
            EndpointProbe probe = new EndpointProbe(options, client);
            List<Report> reports = new ArrayList<>();
            for (Server server : options.endpoints()) {
                reports.add(probe.ask(server));
            }
            return reports;
        }
    }

    private Report ask(Server server) throws InterruptedException {
        Map<String, String> secrets = new TreeMap<>();
        options.connection().secretHeaders().forEach((name, secret) -> secrets.put(name, secret.value()));
        boolean lists = options.dialect() instanceof OpenAi;
        String path = lists
                ? "/models"
                : "/v2/models/" + URLEncoder.encode(options.model(), StandardCharsets.UTF_8) + "/ready";
        HttpRequest.Builder request = HttpRequest.newBuilder(server.at(path))
                .timeout(options.connection().readTimeout());
        options.connection().headers().forEach(request::setHeader);
        secrets.forEach(request::setHeader);
        try {
            HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                String said = ServerFaults.of(
                                response.statusCode(),
                                response.headers().firstValue("Retry-After"),
                                response.body(),
                                Instant.now())
                        .message();
                return report(server, Health.AWAY, redacted(said, secrets), OptionalInt.empty());
            }
            return lists
                    ? models(server, response.body())
                    : report(server, Health.FINE, "model " + options.model() + " is ready", OptionalInt.empty());
        } catch (IOException e) {
            String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            return report(server, Health.AWAY, "no answer: " + redacted(why, secrets), OptionalInt.empty());
        }
    }

    private Report models(Server server, String body) {
        JsonNode data;
        try {
            data = Json.parse(body).path("data");
        } catch (FaultException e) {
            return report(server, Health.DOUBTFUL, e.fault().message(), OptionalInt.empty());
        }
        List<String> names = new ArrayList<>();
        for (JsonNode model : data) {
            String name = model.path("id").asText();
            if (name.equals(options.model())) {
                JsonNode most = model.path("max_model_len");
                OptionalInt maxModelLen =
                        most.canConvertToInt() && most.isInt() ? OptionalInt.of(most.intValue()) : OptionalInt.empty();
                return report(server, Health.FINE, "has model " + name, maxModelLen);
            }
            names.add(name);
        }
        String known = names.isEmpty() ? "models that it does not name" : String.join(", ", names);
        return report(server, Health.DOUBTFUL, "model=" + options.model() + ", expected=" + known, OptionalInt.empty());
    }

    private static Report report(Server server, Health health, String message, OptionalInt maxModelLen) {
        return new Report(server.name(), server.shownUrl(), health, message, maxModelLen);
    }

    private static String redacted(String message, Map<String, String> secrets) {
        return Exchange.redacted(message, secrets.values());
    }
}
