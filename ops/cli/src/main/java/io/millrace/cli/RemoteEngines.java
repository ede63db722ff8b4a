package io.millrace.cli;

import io.millrace.remote.RemoteOptions;
import io.millrace.remote.RemoteOptions.Server;
import io.millrace.remote.Secret;
import io.millrace.remote.SlackCurve;
import io.millrace.remote.protocol.OpenInferenceProtocol;
import io.millrace.streams.config.ModelSettings;
import io.millrace.streams.config.RemoteSettings;
import java.net.http.HttpClient;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A remote engine's options from settings. All throw {@link IllegalArgumentException} where a secret is not where it should be. */
final class RemoteEngines {

    private RemoteEngines() {}

    static RemoteOptions options(ModelSettings settings, RemoteSettings remote) {
        return new RemoteOptions(
                dialect(remote),
                remote.model(),
                settings.version(),
                settings.maxModelLen(),
                settings.maxNumSeqs(),
                settings.maxWaiting(),
                servers(remote),
                RemoteOptions.Choice.valueOf(remote.choice().toUpperCase(Locale.ROOT)),
                connection(remote),
                remote.extraBody(),
                new RemoteOptions.Retries(
                        remote.retries().maxAttempts(),
                        remote.retries().budget(),
                        remote.retries().firstBackOff(),
                        remote.retries().longestBackOff()),
                new RemoteOptions.Breaker(
                        remote.breaker().failureRate(),
                        remote.breaker().window(),
                        remote.breaker().openTime()),
                remote.slack().map(RemoteEngines::slack));
    }

    private static RemoteOptions.Dialect dialect(RemoteSettings remote) {
        if (remote.protocol().equals("openai")) {
            return new RemoteOptions.OpenAi();
        }
        RemoteSettings.Inference inference = remote.inference();
        return new RemoteOptions.OpenInference(
                OpenInferenceProtocol.Method.valueOf(inference.method().toUpperCase(Locale.ROOT)),
                new OpenInferenceProtocol.Tensors(
                        inference.input(), inference.batched() ? List.of(1, 1) : List.of(1), inference.output()));
    }

    private static List<Server> servers(RemoteSettings remote) {
        return remote.endpoints().entrySet().stream()
                .map(endpoint -> new Server(
                        endpoint.getKey(),
                        endpoint.getValue().url(),
                        endpoint.getValue().maxInFlight().orElse(Integer.MAX_VALUE),
                        endpoint.getValue().maxTokensInFlight(),
                        endpoint.getValue().metricsUrl()))
                .toList();
    }

    private static RemoteOptions.Connection connection(RemoteSettings remote) {
        RemoteSettings.Connection connection = remote.connection();
        boolean hasTls =
                connection.caFile().isPresent() || connection.certificateFile().isPresent();
        return new RemoteOptions.Connection(
                connection.headers(),
                secrets(remote),
                hasTls
                        ? Optional.of(new RemoteOptions.Tls(
                                connection.caFile(), connection.certificateFile(), connection.keyFile()))
                        : Optional.empty(),
                connection.proxy(),
                connection.httpVersion().equals("2") ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1,
                connection.connectTimeout(),
                connection.readTimeout(),
                connection.totalTimeout(),
                connection.maxResponseBytes());
    }

    /** The headers that hold secrets, by name. */
    static Map<String, Secret> secrets(RemoteSettings remote) {
        Map<String, Secret> secrets = new LinkedHashMap<>();
        remote.connection()
                .secretHeaders()
                .forEach((header, place) -> secrets.put(header, Secret.at("remote.secret_headers." + header, place)));
        remote.apiKey()
                .ifPresent(place -> secrets.put(
                        "Authorization", Secret.at("remote.api_key", place).prefixed("Bearer ")));
        return secrets;
    }

    private static RemoteOptions.Slack slack(RemoteSettings.Slack slack) {
        RemoteOptions.Signal signal = slack.signal().isPresent()
                ? new RemoteOptions.Metric(slack.signal().get())
                : new RemoteOptions.Query(slack.query().orElseThrow());
        SlackCurve curve = new SlackCurve(slack.curve().points().stream()
                .map(point -> new SlackCurve.Point(point.value(), point.fraction()))
                .toList());
        return new RemoteOptions.Slack(slack.url(), signal, slack.interval(), slack.maxAge(), curve);
    }
}
