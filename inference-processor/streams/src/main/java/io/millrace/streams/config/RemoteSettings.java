package io.millrace.streams.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A model on servers.
 *
 * @param protocol {@code openai} or {@code open-inference}
 * @param model the servers' name for it
 * @param endpoints servers by name, in the file's order; at least one
 * @param choice {@code least_tokens} or {@code prefix_affinity}
 * @param apiKey place of a bearer token: {@code env:VARIABLE} or {@code file:PATH}
 * @param connection how they are asked
 * @param extraBody members of every body, as JSON has them
 * @param retries of broken answers
 * @param breaker when an endpoint is left alone
 * @param inference what only {@code open-inference} has
 * @param slack where live traffic goes first
 */
public record RemoteSettings(
        String protocol,
        String model,
        Map<String, Endpoint> endpoints,
        String choice,
        Optional<String> apiKey,
        Connection connection,
        Map<String, Object> extraBody,
        Retries retries,
        Breaker breaker,
        Inference inference,
        Optional<Slack> slack)
        implements EngineSettings {

    static final String ENGINE = "remote";
    static final int DEFAULT_MAX_NUM_SEQS = 256;

    /** One server, or a balancer before several. An absent bound is none. */
    public record Endpoint(
            URI url, OptionalInt maxInFlight, OptionalLong maxTokensInFlight, Optional<URI> metricsUrl) {}

    /**
     * How servers are asked.
     *
     * @param secretHeaders places of values, by header
     * @param httpVersion {@code 1.1} or {@code 2}
     */
    public record Connection(
            Map<String, String> headers,
            Map<String, String> secretHeaders,
            Optional<Path> caFile,
            Optional<Path> certificateFile,
            Optional<Path> keyFile,
            Optional<URI> proxy,
            String httpVersion,
            Duration connectTimeout,
            Duration readTimeout,
            Duration totalTimeout,
            long maxResponseBytes) {}

    /** How often and how soon a broken answer is asked for again. */
    public record Retries(int maxAttempts, double budget, Duration firstBackOff, Duration longestBackOff) {}

    /** When an endpoint is left alone. */
    public record Breaker(double failureRate, int window, Duration openTime) {}

    /** Method and tensors of the Open Inference Protocol. */
    public record Inference(String method, String input, String output, boolean batched) {}

    /**
     * What is left of the budgets.
     *
     * @param signal a metric's name; exactly one of this and {@code query} is there
     * @param query PromQL
     */
    public record Slack(
            Optional<URI> url,
            Optional<String> signal,
            Optional<String> query,
            Duration interval,
            Duration maxAge,
            Curve curve) {}

    @Override
    public String kind() {
        return ENGINE;
    }

    /** @param values sound, as {@link RemoteChecks} found */
    static RemoteSettings of(String name, Values values) {
        Map<String, Endpoint> endpoints = new LinkedHashMap<>();
        values.sections("endpoints").forEach((endpoint, keys) -> endpoints.put(endpoint, endpoint(keys)));
        return new RemoteSettings(
                values.text("protocol"),
                values.optionalText("model").orElse(name),
                Collections.unmodifiableMap(endpoints),
                values.text("choice"),
                values.optionalText("api_key"),
                connection(values),
                values.json("extra_body"),
                retries(values.section("retries")),
                breaker(values.section("breaker")),
                inference(values.text("method"), values.section("tensors")),
                slack(values.section("slack")));
    }

    private static Endpoint endpoint(Values values) {
        return new Endpoint(
                values.optional("url", URI.class).orElseThrow(),
                values.optionalInteger("max_in_flight"),
                values.optionalBytes("max_tokens_in_flight"),
                values.optional("metrics_url", URI.class));
    }

    private static Connection connection(Values values) {
        Values tls = values.section("tls");
        return new Connection(
                values.named("headers", String.class),
                values.named("secret_headers", String.class),
                tls.optionalText("ca_file").map(Path::of),
                tls.optionalText("certificate_file").map(Path::of),
                tls.optionalText("key_file").map(Path::of),
                values.optional("proxy", URI.class),
                values.text("http_version"),
                values.duration("connect_timeout"),
                values.duration("read_timeout"),
                values.duration("total_timeout"),
                values.bytes("max_response_bytes"));
    }

    private static Retries retries(Values values) {
        return new Retries(
                values.integer("max_attempts"),
                values.decimal("budget"),
                values.duration("first_backoff"),
                values.duration("longest_backoff"));
    }

    private static Breaker breaker(Values values) {
        return new Breaker(values.decimal("failure_rate"), values.integer("window"), values.duration("open_time"));
    }

    private static Inference inference(String method, Values tensors) {
        return new Inference(method, tensors.text("input"), tensors.text("output"), tensors.bool("batched"));
    }

    private static Optional<Slack> slack(Values values) {
        if (!values.has("signal") && !values.has("query")) {
            return Optional.empty();
        }
        return Optional.of(new Slack(
                values.optional("url", URI.class),
                values.optionalText("signal"),
                values.optionalText("query"),
                values.duration("interval"),
                values.duration("max_age"),
                values.optional("curve", Curve.class).orElseThrow()));
    }
}
