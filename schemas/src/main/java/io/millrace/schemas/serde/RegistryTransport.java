package io.millrace.schemas.serde;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.schemas.serde.RegistryConfig.Endpoint;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;

/**
 * Requests to a registry: each goes to the URL that answered last, then to the others, once round. Safe for many threads: they share
 * only the index of that URL.
 */
final class RegistryTransport implements AutoCloseable {

    /** Largest answer that is read, bytes: schemas are kilobytes. */
    static final int MAX_ANSWER_BYTES = 4 << 20;

    private static final String MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";

    /**
     * What a registry says about a schema: unknown subject, version or schema; incompatible; invalid. A plain 404 comes from a wrong
     * URL, behind which something else answers; 401 and 403 are about our credentials.
     */
    private static final Pattern VERDICT = Pattern.compile("404\\d\\d|409(\\d\\d)?|422(\\d\\d)?");

    private static final int MAX_REASON_CHARS = 200;

    private final ObjectMapper json = new ObjectMapper();
    private final RegistryConfig config;
    private final HttpClient http;
    private volatile int preferred;

    RegistryTransport(RegistryConfig config) {
        this.config = config;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER) // would carry the credentials elsewhere
                .connectTimeout(config.connectTimeout());
        config.ssl().ifPresent(builder::sslContext);
        this.http = builder.build();
    }

    /** What a registry said. */
    sealed interface Answer {
        /** A JSON object. */
        record Ok(JsonNode body) implements Answer {}

        /** No: the registry's error code and message. */
        record No(int code, String message) implements Answer {
            @Override
            public String toString() {
                return code + " " + message;
            }
        }

        /**
         * All URLs answered that there is no such thing, but not in a registry's words: it does not know this kind of request, or it is
         * no registry. The reasons are for people.
         */
        record NoSuchPath(String reasons) implements Answer {
            RegistryUnavailableException unavailable() {
                return RegistryTransport.unavailable(reasons);
            }
        }
    }

    /** An endpoint's answer is unusable; the reason is for people. */
    private static final class Unusable extends Exception {
        private static final long serialVersionUID = 1L;

        /** Zero where there was no answer. */
        private final int status;

        Unusable(String reason, int status) {
            super(reason);
            this.status = status;
        }

        boolean isNoSuchPath() {
            return status == 400 || status == 404 || status == 405;
        }
    }

    Answer get(String path) {
        return send(path, null);
    }

    Answer post(String path, JsonNode body) {
        return send(path, body);
    }

    @Override
    public void close() {
        http.shutdownNow();
    }

    private Answer send(String path, @Nullable JsonNode body) {
        List<Unusable> unusable = new ArrayList<>();
        List<String> reasons = new ArrayList<>();
        int first = preferred;
        for (int tried = 0; tried < config.endpoints().size(); tried++) {
            int index = (first + tried) % config.endpoints().size();
            Endpoint endpoint = config.endpoints().get(index);
            try {
                Answer answer = answer(exchange(request(endpoint, path, body)));
                preferred = index;
                return answer;
            } catch (Unusable e) {
                unusable.add(e);
                reasons.add(endpoint.base() + " (" + e.getMessage() + ")");
            }
        }
        if (unusable.stream().allMatch(Unusable::isNoSuchPath)) {
            return new Answer.NoSuchPath(String.join(", ", reasons));
        }
        throw unavailable(String.join(", ", reasons));
    }

    private static RegistryUnavailableException unavailable(String reasons) {
        return new RegistryUnavailableException(
                RegistryConfig.URL + "=" + reasons + ", expected=a schema registry that answers");
    }

    private HttpRequest request(Endpoint endpoint, String path, @Nullable JsonNode body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(endpoint.base() + path))
                .header("Accept", MEDIA_TYPE + ", application/json");
        config.headers().forEach(request::header);
        endpoint.authorization().ifPresent(value -> request.header("Authorization", value));
        if (body != null) {
            request.header("Content-Type", MEDIA_TYPE).POST(BodyPublishers.ofString(body.toString()));
        }
        return request.build();
    }

    /** Waits for the whole body: {@link HttpRequest}'s own time-out ends with the headers. */
    private HttpResponse<byte[]> exchange(HttpRequest request) throws Unusable {
        CompletableFuture<HttpResponse<byte[]>> response =
                http.sendAsync(request, BodyHandlers.limiting(BodyHandlers.ofByteArray(), MAX_ANSWER_BYTES));
        long millis = config.connectTimeout().plus(config.readTimeout()).toMillis();
        try {
            return response.get(millis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            response.cancel(true);
            throw new Unusable("no answer in " + millis + " ms", 0);
        } catch (ExecutionException e) {
            throw new Unusable(reason(e.getCause()), 0);
        } catch (InterruptedException e) {
            response.cancel(true);
            throw new InterruptException(e);
        }
    }

    private static String reason(@Nullable Throwable cause) {
        if (cause == null) {
            return "unknown";
        }
        String name = cause.getClass().getSimpleName();
        return cause.getMessage() == null ? name : name + ": " + cause.getMessage();
    }

    private Answer answer(HttpResponse<byte[]> response) throws Unusable {
        int status = response.statusCode();
        Optional<JsonNode> body = object(response.body());
        if (status / 100 == 2) {
            return new Answer.Ok(
                    body.orElseThrow(() -> new Unusable("no JSON object: " + start(response.body()), status)));
        }
        int code = body.map(error -> error.path("error_code").asInt()).orElse(0);
        if (status / 100 == 4 && isVerdictCode(String.valueOf(code))) {
            String message = body.map(error -> error.path("message").asText()).orElse("");
            return new Answer.No(code, shorten(message));
        }
        String location =
                response.headers().firstValue("Location").map(to -> " to " + to).orElse("");
        throw new Unusable("HTTP " + status + location + ": " + start(response.body()), status);
    }

    /** Whether an error code judges a schema, and is not about us or the moment. */
    static boolean isVerdictCode(String code) {
        return VERDICT.matcher(code).matches();
    }

    private Optional<JsonNode> object(byte[] body) {
        try {
            return Optional.of(json.readTree(new String(body, UTF_8))).filter(JsonNode::isObject);
        } catch (JsonProcessingException notJson) {
            return Optional.empty();
        }
    }

    private static String start(byte[] body) {
        return shorten(new String(body, UTF_8).strip().replaceAll("\\s+", " "));
    }

    private static String shorten(String text) {
        return text.length() <= MAX_REASON_CHARS ? text : text.substring(0, MAX_REASON_CHARS) + "…";
    }
}
