package io.millrace.streams.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What concerns several keys of a model on servers. */
final class RemoteChecks {

    private static final Pattern ENDPOINT = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
    private static final Pattern HEADER = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");
    private static final Set<String> OURS =
            Set.of("connection", "content-length", "content-type", "accept", "expect", "host", "upgrade");
    private static final List<String> OF_OPEN_INFERENCE = List.of("method", "tensors");

    /** Members of a body that the engine sets, by protocol. */
    private static final Map<String, Set<String>> OURS_IN_BODY =
            Map.of("openai", Set.of("stream", "stream_options", "n"), "open-inference", Set.of("inputs", "outputs"));

    private final Values remote;
    private final Problems problems;
    private final Map<String, String> headers = new HashMap<>(); // keys by the names of headers, in lower case
    private boolean isSound = true;

    private RemoteChecks(Values remote, Problems problems) {
        this.remote = remote;
        this.problems = problems;
    }

    /**
     * Tells what is wrong, and whether nothing is.
     *
     * @param place of the section, or of the model that has none
     */
    static boolean check(String model, Values remote, Place place, Problems problems) {
        RemoteChecks checks = new RemoteChecks(remote, problems);
        if (remote.has("api_key")) {
            checks.headers.put("authorization", "api_key");
        }
        checks.endpoints(model, place);
        checks.headers("headers", remote.named("headers", String.class).keySet());
        checks.headers(
                "secret_headers", remote.named("secret_headers", String.class).keySet());
        checks.extraBody();
        checks.files();
        checks.pairs();
        checks.slack(remote.section("slack"));
        return checks.isSound;
    }

    private void error(Place place, String message) {
        isSound = false;
        problems.error(place, message);
    }

    private void endpoints(String model, Place place) {
        Map<String, Values> endpoints = remote.sections("endpoints");
        if (endpoints.isEmpty() && remote.areSound("endpoints")) {
            error(
                    place,
                    "model '" + model
                            + "' has no endpoints, expected=remote: {endpoints: {NAME: {url: 'http://HOST:8000/v1'}}}");
        }
        endpoints.forEach((name, endpoint) -> {
            Place at = remote.placeIn("endpoints", name);
            if (!ENDPOINT.matcher(name).matches()) {
                error(at, "endpoint name=" + name + ", expected=letters, digits and . _ -, at most 63");
            }
            if (!endpoint.has("url")) {
                if (endpoint.areSound("url")) {
                    error(at, "endpoint '" + name + "' has no url, expected=url: 'http://HOST:8000/v1'");
                }
                isSound = false;
            }
        });
    }

    private void headers(String key, Set<String> names) {
        for (String name : names) {
            String lower = name.toLowerCase(Locale.ROOT);
            Place at = remote.placeIn(key, name);
            if (!HEADER.matcher(name).matches()) {
                error(at, key + "=" + name + ", expected=a header's name");
            } else if (OURS.contains(lower)) {
                error(at, key + "=" + name + ", expected=another header: this one is set by the client");
            } else if (key.equals("headers") && looksSecret(lower)) {
                error(
                        at,
                        "headers." + name
                                + "=(not shown), expected=under secret_headers, as env:VARIABLE or file:PATH");
            } else {
                String other = headers.putIfAbsent(lower, key + "." + name);
                if (other != null) {
                    error(
                            at,
                            other + " and " + key + "." + name
                                    + " are given, expected=one of them: they are one header");
                }
            }
        }
    }

    private static boolean looksSecret(String header) {
        return Stream.of("authorization", "cookie", "api-key", "apikey", "token", "secret", "password")
                .anyMatch(header::contains);
    }

    private void extraBody() {
        String protocol = remote.areSound("protocol") ? remote.text("protocol") : "";
        Set<String> ours = OURS_IN_BODY.getOrDefault(protocol, Set.of());
        for (String member : remote.json("extra_body").keySet()) {
            if (ours.contains(member)) {
                error(
                        remote.placeIn("extra_body", member),
                        "extra_body." + member + " is given, expected=another member: this one is set by the engine");
            }
        }
    }

    private void files() {
        Values tls = remote.section("tls");
        for (String key : List.of("ca_file", "certificate_file", "key_file")) {
            tls.optionalText(key).ifPresent(path -> file(key, path, tls.place(key)));
        }
        remote.optionalText("api_key").ifPresent(secret -> secret("api_key", secret, remote.place("api_key")));
        remote.named("secret_headers", String.class)
                .forEach((name, secret) ->
                        secret("secret_headers." + name, secret, remote.placeIn("secret_headers", name)));
    }

    private void secret(String key, String place, Place at) {
        if (place.startsWith("file:")) {
            file(key, place.substring("file:".length()), at);
        }
    }

    private void file(String key, String path, Place at) {
        try {
            var _ = Path.of(path);
        } catch (InvalidPathException e) {
            error(at, key + ": " + e.getReason() + ", expected=a file's path");
        }
    }

    private void pairs() {
        Values tls = remote.section("tls");
        if (tls.has("certificate_file") != tls.has("key_file") && tls.areSound("certificate_file", "key_file")) {
            String there = tls.has("key_file") ? "key_file" : "certificate_file";
            error(tls.place(there), there + " stands alone, expected=certificate_file and key_file together");
        }
        ordered(remote.section("retries"), "first_backoff", "longest_backoff");
        boolean isOpenInference =
                remote.areSound("protocol") && remote.text("protocol").equals("open-inference");
        for (String key : OF_OPEN_INFERENCE) {
            if (remote.has(key) && !isOpenInference && remote.areSound("protocol")) {
                error(remote.place(key), key + " is given, expected=protocol: open-inference with it");
            }
        }
    }

    private void ordered(Values values, String shorter, String longer) {
        if (values.areSound(shorter, longer) && values.duration(longer).compareTo(values.duration(shorter)) < 0) {
            error(
                    values.place(values.has(longer) ? longer : shorter),
                    longer + "=" + ValueType.Time.show(values.duration(longer)) + ", expected=at least " + shorter + "="
                            + ValueType.Time.show(values.duration(shorter)));
        }
    }

    private void slack(Values slack) {
        if (slack.areSound("signal", "query", "url") && (!slack.has("signal") || slack.has("url"))) {
            metricsUrlsUnread();
        }
        if (!remote.has("slack") || !slack.areSound("signal", "query", "url")) {
            return;
        }
        if (slack.has("signal") == slack.has("query")) {
            error(
                    remote.place("slack"),
                    (slack.has("signal") ? "slack has signal and query" : "slack has neither signal nor query")
                            + ", expected=one of them");
        }
        if (slack.has("query") && !slack.has("url")) {
            error(slack.place("query"), "slack.url is absent, expected=the address of Prometheus for query");
        }
        ordered(slack, "interval", "max_age");
    }

    private void metricsUrlsUnread() {
        remote.sections("endpoints").forEach((name, endpoint) -> {
            if (endpoint.has("metrics_url")) {
                problems.warning(
                        endpoint.place("metrics_url"),
                        "metrics_url of endpoint '" + name
                                + "' is not read, expected=slack.signal without slack.url beside it");
            }
        });
    }
}
