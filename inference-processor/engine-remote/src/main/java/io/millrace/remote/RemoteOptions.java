package io.millrace.remote;

import io.millrace.remote.protocol.OpenAiProtocol;
import io.millrace.remote.protocol.OpenInferenceProtocol;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * How a remote engine asks its servers. Every instance is valid: the constructors throw {@link IllegalArgumentException}
 * reading {@code name=value, expected=…}.
 *
 * @param dialect what the servers speak
 * @param model the servers' name for the model
 * @param version reported with results; empty: what the server reports
 * @param maxModelLen most tokens of prompt and answer together, where it is known here
 * @param maxNumSeqs most requests in flight over all endpoints, at least 1; the adaptive limits stay below
 * @param maxWaiting most accepted requests that wait here for a place, at least 1
 * @param endpoints servers of this model, at least one, names unique
 * @param choice which of several endpoints gets a request
 * @param connection how to talk to them
 * @param extraBody JSON members put into every request body; null removes a member
 * @param retries how often and how soon again
 * @param breaker when an endpoint is left alone
 * @param slack takes only what live traffic leaves; empty: all of the budgets
 */
public record RemoteOptions(
        Dialect dialect,
        String model,
        Optional<String> version,
        OptionalInt maxModelLen,
        int maxNumSeqs,
        int maxWaiting,
        List<Server> endpoints,
        Choice choice,
        Connection connection,
        Map<String, Object> extraBody,
        Retries retries,
        Breaker breaker,
        Optional<Slack> slack) {

    /** Default of {@code maxNumSeqs}: vLLM's. */
    public static final int DEFAULT_MAX_NUM_SEQS = 256;

    /** Default of {@code maxWaiting}: enough to fill every place that a wave of completions frees. */
    public static final int DEFAULT_MAX_WAITING = 256;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

    public RemoteOptions {
        check("model", model, !model.isBlank(), "the server's name for the model");
        check("max_num_seqs", maxNumSeqs, maxNumSeqs >= 1, "at least 1");
        check("max_waiting", maxWaiting, maxWaiting >= 1, "at least 1");
        check("max_model_len", maxModelLen, maxModelLen.orElse(2) >= 2, "at least 2");
        endpoints = List.copyOf(endpoints);
        List<String> names = endpoints.stream().map(Server::name).toList();
        check("remote.endpoints", names, !names.isEmpty(), "at least one");
        check("remote.endpoints", names, names.stream().distinct().count() == names.size(), "unique names");
        extraBody = Collections.unmodifiableMap(new LinkedHashMap<>(extraBody));
        Set<String> ours = switch (dialect) {
            case OpenAi _ -> OpenAiProtocol.OURS;
            case OpenInference _ -> OpenInferenceProtocol.OURS;
        };
        for (String key : extraBody.keySet()) {
            check("remote.extra_body." + key, "present", !ours.contains(key), "absent: the engine sets it");
        }
    }

    /** What servers speak. */
    public sealed interface Dialect {}

    /** OpenAI's API: chat/completions, completions, embeddings. An endpoint's url ends where these begin: {@code …/v1}. */
    public record OpenAi() implements Dialect {}

    /** The Open Inference Protocol (KServe v2, Triton) over HTTP. An endpoint's url ends before {@code /v2}. */
    public record OpenInference(OpenInferenceProtocol.Method method, OpenInferenceProtocol.Tensors tensors)
            implements Dialect {
        public OpenInference {
            check("remote.tensors.input", tensors.input(), !tensors.input().isBlank(), "a tensor's name");
            check("remote.tensors.output", tensors.output(), !tensors.output().isBlank(), "a tensor's name");
            List<Integer> shape = tensors.inputShape();
            boolean one = !shape.isEmpty() && shape.stream().allMatch(size -> size == 1);
            check("remote.tensors.shape", shape, one, "ones: [1], or [1, 1] with a batch");
        }
    }

    /**
     * A server, or a balancer before several.
     *
     * @param name in metrics, results and messages
     * @param url http or https, without user info: secrets have a place of their own
     * @param maxInFlight most requests in flight to it, at least 1
     * @param maxTokensInFlight most tokens of their prompts and answers together, at least 1; empty: no such budget
     * @param metricsUrl where its metrics are; empty: {@code /metrics} of the url's host and port
     */
    public record Server(
            String name, URI url, int maxInFlight, OptionalLong maxTokensInFlight, Optional<URI> metricsUrl) {
        public Server {
            check("remote.endpoints", name, NAME.matcher(name).matches(), "names of letters, digits, '.', '_', '-'");
            String key = "remote.endpoints." + name;
            check(key + ".url", "with user info", url.getRawUserInfo() == null, "none: use remote.secret_headers");
            boolean http = "http".equalsIgnoreCase(url.getScheme()) || "https".equalsIgnoreCase(url.getScheme());
            check(key + ".url", shown(url), http && url.getHost() != null, "http://host… or https://host…");
            check(key + ".url", shown(url), url.getRawFragment() == null, "no fragment");
            check(key + ".max_in_flight", maxInFlight, maxInFlight >= 1, "at least 1");
            check(key + ".max_tokens_in_flight", maxTokensInFlight, maxTokensInFlight.orElse(1) >= 1, "at least 1");
            boolean shown = metricsUrl.isEmpty() || metricsUrl.get().getRawUserInfo() == null;
            check(key + ".metrics_url", "with user info", shown, "none");
        }

        String shownUrl() {
            return shown(url);
        }

        /** Where a path of the protocol is on this server. */
        URI at(String path) {
            String base = shownUrl().replaceAll("/+$", "");
            return URI.create(base + path + (url.getRawQuery() == null ? "" : "?" + url.getRawQuery()));
        }

        /** Whether another url is of this very server, so that what is secret from others may go there. */
        boolean isAt(URI other) {
            return url.getScheme().equalsIgnoreCase(other.getScheme())
                    && url.getHost().equalsIgnoreCase(other.getHost())
                    && port(url) == port(other);
        }

        private static int port(URI url) {
            int byScheme = "https".equalsIgnoreCase(url.getScheme()) ? 443 : 80;
            return url.getPort() < 0 ? byScheme : url.getPort();
        }

        /** A server bounded by the engine's {@code maxNumSeqs} and the adaptive limit alone. */
        public static Server of(String name, URI url) {
            return new Server(name, url, Integer.MAX_VALUE, OptionalLong.empty(), Optional.empty());
        }
    }

    /** Which endpoint gets a request, of those that take one. */
    public enum Choice {
        /** The one with the fewest tokens in flight. */
        LEAST_TOKENS,
        /** The one that had prompts of the same beginning before, unless it has much more to do than another. */
        PREFIX_AFFINITY
    }

    /**
     * How to talk to the servers.
     *
     * @param headers sent with each request
     * @param secretHeaders sent with each request; {@code Authorization} is one of these
     * @param proxy an HTTP proxy
     * @param version highest of HTTP to speak
     * @param connectTimeout above 0
     * @param readTimeout for which a server may send nothing, above 0
     * @param totalTimeout which one attempt may take, above 0
     * @param maxResponseBytes of one response, above 0
     */
    public record Connection(
            Map<String, String> headers,
            Map<String, Secret> secretHeaders,
            Optional<Tls> tls,
            Optional<URI> proxy,
            HttpClient.Version version,
            Duration connectTimeout,
            Duration readTimeout,
            Duration totalTimeout,
            long maxResponseBytes) {

        private static final Pattern HEADER = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

        /** Set by the HTTP client or by the protocol. */
        private static final Set<String> RESERVED =
                Set.of("connection", "content-length", "content-type", "accept", "expect", "host", "upgrade");

        /** HTTP/1.1 without secrets, 5 s to connect, 2 minutes without a byte, an hour in all, 16 MiB. */
        public static final Connection DEFAULT = new Connection(
                Map.of(),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                HttpClient.Version.HTTP_1_1,
                Duration.ofSeconds(5),
                Duration.ofMinutes(2),
                Duration.ofHours(1),
                16L << 20);

        public Connection {
            headers = caseless("remote.headers", headers);
            secretHeaders = caseless("remote.secret_headers", secretHeaders);
            headers.forEach(
                    (name, value) -> check("remote.headers." + name, value, isHeaderValue(value), "one line of ASCII"));
            proxy.ifPresent(at -> check(
                    "remote.proxy",
                    at,
                    "http".equalsIgnoreCase(at.getScheme()) && at.getHost() != null && at.getRawUserInfo() == null,
                    "http://host:port"));
            positive("remote.connect_timeout", connectTimeout);
            positive("remote.read_timeout", readTimeout);
            positive("remote.total_timeout", totalTimeout);
            check("remote.max_response_bytes", maxResponseBytes, maxResponseBytes >= 1, "at least 1");
        }

        /** The same with other secret headers. */
        public Connection withSecretHeaders(Map<String, Secret> value) {
            return new Connection(
                    headers, value, tls, proxy, version, connectTimeout, readTimeout, totalTimeout, maxResponseBytes);
        }

        /**
         * Values of the secret headers, read anew.
         *
         * @throws IllegalArgumentException when one is not where it should be
         */
        Map<String, String> secrets() {
            Map<String, String> values = new LinkedHashMap<>();
            secretHeaders.forEach((name, secret) -> values.put(name, secret.value()));
            return values;
        }

        private static <V> Map<String, V> caseless(String key, Map<String, V> headers) {
            Map<String, V> sorted = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            headers.forEach((name, value) -> {
                boolean ok = HEADER.matcher(name).matches() && !RESERVED.contains(name.toLowerCase(Locale.ROOT));
                check(
                        key,
                        name,
                        ok,
                        "names of headers, other than "
                                + RESERVED.stream().sorted().toList());
                sorted.put(name, value);
            });
            return Collections.unmodifiableMap(sorted);
        }
    }

    /**
     * PEM files.
     *
     * @param ca whom to trust; empty: the JDK's list
     * @param certificate ours, with its chain; with {@code key}
     * @param key of {@code certificate}: PKCS #8, not encrypted
     */
    public record Tls(Optional<Path> ca, Optional<Path> certificate, Optional<Path> key) {
        public Tls {
            check(
                    "remote.tls.key_file",
                    key.map(Path::toString).orElse("absent"),
                    key.isPresent() == certificate.isPresent(),
                    "certificate_file and key_file together");
        }
    }

    /**
     * How often and how soon a request is sent again that got a broken answer. One that found its server away is sent again
     * for as long as it takes.
     *
     * @param maxAttempts at least 1
     * @param budget retries per request in the long run, above 0, to 1; what is above waits
     * @param firstBackOff before the second attempt; doubles with each, and is drawn from its upper half
     * @param longestBackOff at least {@code firstBackOff}
     */
    public record Retries(int maxAttempts, double budget, Duration firstBackOff, Duration longestBackOff) {

        /** Three attempts, a retry for every five requests, 200 ms to 30 s. */
        public static final Retries DEFAULT = new Retries(3, 0.2, Duration.ofMillis(200), Duration.ofSeconds(30));

        public Retries {
            check("remote.retries.max_attempts", maxAttempts, maxAttempts >= 1, "at least 1");
            check("remote.retries.budget", budget, budget > 0 && budget <= 1, "above 0, to 1");
            positive("remote.retries.first_backoff", firstBackOff);
            boolean longer = longestBackOff.compareTo(firstBackOff) >= 0;
            check("remote.retries.longest_backoff", longestBackOff, longer, "at least first_backoff=" + firstBackOff);
        }
    }

    /**
     * When an endpoint is left alone for a while.
     *
     * @param failureRate of the last {@code window} attempts at which it opens, above 0, to 1
     * @param window attempts, at least 1
     * @param openTime until a few attempts try it again, above 0
     */
    public record Breaker(double failureRate, int window, Duration openTime) {

        /** Half of the last 20, for 10 s. */
        public static final Breaker DEFAULT = new Breaker(0.5, 20, Duration.ofSeconds(10));

        public Breaker {
            check("remote.breaker.failure_rate", failureRate, failureRate > 0 && failureRate <= 1, "above 0, to 1");
            check("remote.breaker.window", window, window >= 1, "at least 1");
            positive("remote.breaker.open_time", openTime);
        }
    }

    /**
     * Takes only a part of the budgets, by a signal of how busy a server is with others' requests.
     *
     * @param url of the metrics, or of Prometheus for a query; empty: each endpoint's {@code metricsUrl}. The connection's headers go
     *     to an endpoint's own host and port only
     * @param signal what is read
     * @param interval between readings, above 0
     * @param maxAge of the last reading; beyond it there is no budget. At least {@code interval}
     * @param curve the signal's value to the fraction of the budgets
     */
    public record Slack(Optional<URI> url, Signal signal, Duration interval, Duration maxAge, SlackCurve curve) {

        /** Default of {@code interval}. */
        public static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(1);

        /** Default of {@code maxAge}. */
        public static final Duration DEFAULT_MAX_AGE = Duration.ofSeconds(10);

        public Slack {
            positive("remote.slack.interval", interval);
            boolean older = maxAge.compareTo(interval) >= 0;
            check("remote.slack.max_age", maxAge, older, "at least interval=" + interval);
            boolean shown = url.isEmpty() || url.get().getRawUserInfo() == null;
            check("remote.slack.url", "with user info", shown, "none");
            boolean given = url.isPresent() || signal instanceof Metric;
            check("remote.slack.url", "absent", given, "the url of Prometheus, for a query");
        }
    }

    /** What tells how busy a server is. */
    public sealed interface Signal {}

    /**
     * A metric in Prometheus' text format; of several series the sum.
     *
     * @param name e.g. {@code vllm:num_requests_waiting}; with labels only of series that have them, e.g. {@code
     *     nv_inference_pending_request_count{model="llm"}}
     */
    public record Metric(String name) implements Signal {
        private static final Pattern NAME = Pattern.compile("[A-Za-z_:][A-Za-z0-9_:]*(\\{LABEL(, ?LABEL)*})?"
                .replace("LABEL", "[A-Za-z_][A-Za-z0-9_]*=\"[^\"\\\\]*\""));

        public Metric {
            boolean sound = NAME.matcher(name).matches();
            check("remote.slack.signal", name, sound, "a metric's name, perhaps with labels: NAME{LABEL=\"VALUE\"}");
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /**
     * A PromQL query for Prometheus' HTTP API; of several results the sum.
     *
     * @param expression e.g. {@code max(vllm:kv_cache_usage_perc{pool="live"})}
     */
    public record Query(String expression) implements Signal {
        public Query {
            check("remote.slack.query", expression, !expression.isBlank(), "a PromQL expression");
        }

        @Override
        public String toString() {
            return expression;
        }
    }

    /** For messages: without a query, which may hold secrets. */
    static String shown(URI url) {
        String text = url.toString();
        int query = text.indexOf('?');
        return query < 0 ? text : text.substring(0, query);
    }

    static boolean isHeaderValue(String value) {
        return value.chars().allMatch(c -> c >= ' ' && c < 127);
    }

    private static void positive(String name, Duration value) {
        check(name, value, value.isPositive(), "above 0");
    }

    static void check(String name, Object value, boolean valid, String expected) {
        if (!valid) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=" + expected);
        }
    }

    /** A builder for servers that speak OpenAI's API, with this class's defaults. */
    public static Builder builder(String model) {
        return new Builder(model);
    }

    /** Sets options by name; {@link #build} checks them. Not for use by several threads. */
    public static final class Builder {
        private final String model;
        private Dialect dialect = new OpenAi();
        private Optional<String> version = Optional.empty();
        private OptionalInt maxModelLen = OptionalInt.empty();
        private int maxNumSeqs = DEFAULT_MAX_NUM_SEQS;
        private int maxWaiting = DEFAULT_MAX_WAITING;
        private List<Server> endpoints = List.of();
        private Choice choice = Choice.LEAST_TOKENS;
        private Connection connection = Connection.DEFAULT;
        private Map<String, Object> extraBody = Map.of();
        private Retries retries = Retries.DEFAULT;
        private Breaker breaker = Breaker.DEFAULT;
        private Optional<Slack> slack = Optional.empty();

        private Builder(String model) {
            this.model = model;
        }

        public Builder dialect(Dialect value) {
            dialect = value;
            return this;
        }

        public Builder version(String value) {
            version = Optional.of(value);
            return this;
        }

        public Builder maxModelLen(int value) {
            maxModelLen = OptionalInt.of(value);
            return this;
        }

        public Builder maxNumSeqs(int value) {
            maxNumSeqs = value;
            return this;
        }

        public Builder maxWaiting(int value) {
            maxWaiting = value;
            return this;
        }

        public Builder endpoints(List<Server> value) {
            endpoints = value;
            return this;
        }

        public Builder choice(Choice value) {
            choice = value;
            return this;
        }

        public Builder connection(Connection value) {
            connection = value;
            return this;
        }

        public Builder extraBody(Map<String, Object> value) {
            extraBody = value;
            return this;
        }

        public Builder retries(Retries value) {
            retries = value;
            return this;
        }

        public Builder breaker(Breaker value) {
            breaker = value;
            return this;
        }

        public Builder slack(Slack value) {
            slack = Optional.of(value);
            return this;
        }

        /**
         * The options.
         *
         * @throws IllegalArgumentException when one is wrong
         */
        public RemoteOptions build() {
            return new RemoteOptions(
                    dialect,
                    model,
                    version,
                    maxModelLen,
                    maxNumSeqs,
                    maxWaiting,
                    endpoints,
                    choice,
                    connection,
                    extraBody,
                    retries,
                    breaker,
                    slack);
        }
    }
}
