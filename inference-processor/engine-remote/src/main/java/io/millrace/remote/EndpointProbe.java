package io.millrace.remote;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.remote.RemoteOptions.OpenAi;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.protocol.FaultException;
import io.millrace.remote.protocol.Json;
import io.millrace.remote.protocol.OpenInferenceProtocol;
import io.millrace.remote.protocol.ServerFaults;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * Asks the servers of a remote engine whether they are there and have the model, without a prompt: over {@code /models} (OpenAI's),
 * or {@code /v2/models/MODEL/ready} (Open Inference Protocol). Reads what a slack gate goes by, where there is one.
 */
public final class EndpointProbe {

    /** Services list hundreds of models. */
    private static final int MOST_SHOWN = 20;

    private static final String CHAT = "/chat/completions";

    private final RemoteOptions options;
    private final Connections connections;

    private EndpointProbe(RemoteOptions options, Connections connections) {
        this.options = options;
        this.connections = connections;
    }

    /** What was found. */
    public enum Health {
        /** It answers, and has the model. */
        FINE,
        /** It answers, and what it says of its models does not name this one. Some servers take any name. */
        DOUBTFUL,
        /** It has a path for chats and no list of models, as DJL-Serving. */
        UNLISTED,
        /** It does not answer, or refuses. */
        AWAY
    }

    /**
     * One endpoint.
     *
     * @param url without what may be secret
     * @param message for people
     * @param maxModelLen where the server tells it, as vLLM does
     * @param signal what its slack gate goes by; empty: it has no gate, or is away with its metrics
     */
    public record Report(
            String endpoint,
            String url,
            Health health,
            String message,
            OptionalInt maxModelLen,
            Optional<Signal> signal) {

        private Report with(Signal reading) {
            return new Report(endpoint, url, health, message, maxModelLen, Optional.of(reading));
        }

        /** Whether it would be sent prompts, now or when others leave it room. */
        public boolean isUsable() {
            return health != Health.AWAY && signal.map(Signal::wasRead).orElse(true);
        }
    }

    /**
     * A slack signal.
     *
     * @param wasRead without which the gate stays closed
     * @param message for people
     */
    public record Signal(boolean wasRead, String message) {}

    /**
     * Asks each endpoint once, and waits for each for no longer than {@code read_timeout}.
     *
     * @throws IllegalArgumentException when a file or a variable that the options name is not what it should be
     */
    public static List<Report> probe(RemoteOptions options) throws InterruptedException {
        try (Connections connections = new Connections(() -> RemoteEngine.client(options.connection()))) {
            EndpointProbe probe = new EndpointProbe(options, connections);
            List<Report> reports = new ArrayList<>();
            for (Server server : options.endpoints()) {
                Report report = probe.ask(server);
                Optional<Signal> signal = probe.signal(server, report.health());
                reports.add(signal.map(report::with).orElse(report));
            }
            return reports;
        }
    }

    private Report ask(Server server) throws InterruptedException {
        Map<String, String> secrets = options.connection().secrets();
        boolean lists = options.dialect() instanceof OpenAi;
        String path = lists ? "/models" : OpenInferenceProtocol.pathOf(options.model()) + "/ready";
        try {
            SmallResponse response = response("GET", server, path, secrets);
            if (lists && hasNoSuchPath(response) && !hasNoSuchPath(response("OPTIONS", server, CHAT, secrets))) {
                return report(
                        server,
                        Health.UNLISTED,
                        "has " + CHAT + " and does not list its models: " + path + " has status=" + response.status(),
                        OptionalInt.empty());
            }
            if (response.status() != 200) {
                return report(server, Health.AWAY, redacted(refusal(response), secrets), OptionalInt.empty());
            }
            return lists ? models(server, response.body()) : ready(server, response.body());
        } catch (IOException e) {
            return report(server, Health.AWAY, "no answer: " + redacted(why(e), secrets), OptionalInt.empty());
        }
    }

    /** A server that is away has no metrics either: only those of others are read then. */
    private Optional<Signal> signal(Server server, Health health) throws InterruptedException {
        Optional<RemoteOptions.Slack> slack = options.slack();
        if (slack.isEmpty() || (health == Health.AWAY && slack.get().url().isEmpty())) {
            return Optional.empty();
        }
        return Optional.of(signal(server, slack.get()));
    }

    private Signal signal(Server server, RemoteOptions.Slack slack) throws InterruptedException {
        SignalReader reader = SignalReader.of(connections, options, slack, server);
        try {
            double value = reader.read();
            String left = String.format(Locale.ROOT, "%.2f", slack.curve().at(value));
            return new Signal(true, slack.signal() + "=" + value + " leaves " + left + " of the budgets");
        } catch (IOException | FaultException e) {
            String why = redacted(why(e), options.connection().secrets());
            String where = RemoteOptions.shown(reader.url());
            return new Signal(false, slack.signal() + " could not be read at " + where + ": " + why);
        }
    }

    private static String why(Exception e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private SmallResponse response(String method, Server server, String path, Map<String, String> secrets)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.at(path)).method(method, BodyPublishers.noBody());
        options.connection().headers().forEach(request::setHeader);
        secrets.forEach(request::setHeader);
        return SmallResponse.to(
                request.build(), connections, options.connection().readTimeout());
    }

    private static boolean hasNoSuchPath(SmallResponse response) {
        return response.status() == 404;
    }

    private static String refusal(SmallResponse response) {
        String said = ServerFaults.of(
                        response.status(), response.headers().firstValue("Retry-After"), response.body(), Instant.now())
                .message();
        String status = "status=" + response.status() + ": ";
        return said.startsWith(status) ? said : status + said;
    }

    /** The status tells; some servers answer 200 and tell in the body, which others leave empty. */
    private Report ready(Server server, String body) {
        boolean ready;
        try {
            ready = Json.parse(body).path("ready").asBoolean(true);
        } catch (FaultException e) {
            ready = true;
        }
        return report(
                server,
                ready ? Health.FINE : Health.AWAY,
                "model " + options.model() + (ready ? " is ready" : " is not ready"),
                OptionalInt.empty());
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
        return report(
                server,
                Health.DOUBTFUL,
                "model=" + options.model() + ", expected=" + shown(names),
                OptionalInt.empty());
    }

    private static String shown(List<String> names) {
        if (names.isEmpty()) {
            return "models that it does not name";
        }
        String some = names.stream().limit(MOST_SHOWN).collect(Collectors.joining(", "));
        return names.size() <= MOST_SHOWN ? some : some + ", … (" + names.size() + " models)";
    }

    private static Report report(Server server, Health health, String message, OptionalInt maxModelLen) {
        return new Report(server.name(), server.shownUrl(), health, message, maxModelLen, Optional.empty());
    }

    private static String redacted(String message, Map<String, String> secrets) {
        return Exchange.redacted(message, secrets.values());
    }
}
