package io.millrace.remote.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.engine.FailureCode;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the error responses of model servers mean. */
public final class ServerFaults {

    /** A server that asks for longer is asked again nevertheless. */
    private static final Duration MOST_RETRY_AFTER = Duration.ofMinutes(10);

    /** Longest message that is repeated. */
    private static final int MAX_MESSAGE_CHARS = 500;

    /** How servers say that a prompt, or prompt and answer together, do not fit. */
    private static final Pattern CONTEXT_OVERFLOW = Pattern.compile(
            String.join(
                    "|",
                    "maximum context length", // OpenAI, vLLM, SGLang
                    "context_length_exceeded", // OpenAI's code
                    "input tokens exceed the configured limit", // OpenAI
                    "longer than the maximum model length", // vLLM
                    "model's context length is only", // vLLM
                    "max_tokens must be at least 1, got -", // vLLM: what the prompt leaves
                    "cannot be greater than max_model_len", // vLLM: more than fit without any prompt
                    "longer than the model's context length", // SGLang
                    "input length \\(\\d+ tokens\\) exceeds the maximum allowed length", // SGLang
                    "exceeds? the available context size|exceed_context_size_error", // llama.cpp
                    "input is too large to process|input \\(\\d+ tokens\\) is too large to process", // llama.cpp
                    "exceed context window of", // llama-cpp-python
                    "exceeds maximum input length|exceeds? max_input_len", // TensorRT-LLM
                    "should not exceed max_(num_tokens|seq_len)", // TensorRT-LLM
                    "max_new_tokens` must be <=|`inputs` must have less than", // text-generation-inference
                    "litellm\\.ContextWindowExceededError"), // LiteLLM, which may have counted for itself
            Pattern.CASE_INSENSITIVE);

    /** A status that a server gives, known by its words, to what has another with all others. */
    private record Misnomer(int given, Pattern words, int meant) {
        Misnomer(int given, String words, int meant) {
            this(given, Pattern.compile(words), meant);
        }
    }

    private static final List<Misnomer> MISNOMERS = List.of(
            // Triton, of a python model whose process has died: to infer 500. It says that the model is ready, too
            new Misnomer(400, "Stub process '[^']*' is not healthy", 503),
            new Misnomer(500, "Stub process '[^']*' is not healthy", 503),
            // Triton, of a model that fails, to generate; to infer 500. All of a batch get it, the request at fault and
            // others
            new Misnomer(400, "\"Failed to process the request\\(s\\) for model (instance )?'", 500),
            // Triton and DJL-Serving, of a value that does not have the type that it should have
            new Misnomer(500, "\"Unable to parse |: Input parsing failed: ", 400),
            // DJL-Serving, while the process that has the model starts again
            new Misnomer(400, "Backend Python process is stopped", 503),
            // LiteLLM, where the server behind it is not there or ends without a word
            new Misnomer(500, "Exception - (Connection error\\.|Cannot connect to host )", 502),
            // LiteLLM, where it is not told its one key and has no database to look for others
            new Misnomer(400, "\"No connected db\\.\"", 401),
            // LiteLLM, where its configuration does not name the model
            new Misnomer(400, "Invalid model name passed in model=", 404));

    /** What DJL-Serving says, with 424, of whatever its model's code raised: for what vLLM refuses, most often. */
    private static final Pattern REASON_KEPT = Pattern.compile("service\\.invoke_handler_async\\(\\) failure");

    /** How DJL-Serving passes on, with 500, what vLLM refuses. */
    private static final Pattern REFUSED_WITHIN =
            Pattern.compile("\\bErrorInfo\\(message=.*\\bcode=(4\\d\\d)\\)", Pattern.DOTALL);

    private ServerFaults() {}

    /**
     * What a response other than 200 means.
     *
     * @param retryAfter the header of that name
     * @param body as far as it was read
     */
    public static Fault of(int status, Optional<String> retryAfter, String body, Instant now) {
        String message = "status=" + status + ": " + message(body);
        int meant = meant(status, body);
        return switch (meant) {
            case 429 -> new Fault.Away(Fault.Kind.RATE_LIMITED, message, retryAfter.flatMap(at -> delay(at, now)));
            case 502 -> new Fault.Away(Fault.Kind.BAD_GATEWAY, message, retryAfter.flatMap(at -> delay(at, now)));
            case 503 -> new Fault.Away(Fault.Kind.UNAVAILABLE, message, retryAfter.flatMap(at -> delay(at, now)));
            case 404, 405 -> notFound(message);
            case 401, 403 -> wrongCredentials(message);
            case 407 -> misconfigured(message, "a proxy without credentials");
            default -> byBody(meant, message, body);
        };
    }

    private static int meant(int status, String body) {
        for (Misnomer each : MISNOMERS) {
            if (each.given == status && each.words.matcher(body).find()) {
                return each.meant;
            }
        }
        Matcher within = REFUSED_WITHIN.matcher(words(body));
        return status == 500 && within.find() ? Integer.parseInt(within.group(1)) : status;
    }

    private static Fault byBody(int status, String message, String body) {
        if (status >= 400 && CONTEXT_OVERFLOW.matcher(body).find()) {
            return new Fault.Refused(Fault.Kind.CONTEXT_LENGTH, FailureCode.CONTEXT_LENGTH_EXCEEDED, message(body));
        }
        if (status == 408 || status == 504) {
            return new Fault.Broken(Fault.Kind.TIMEOUT, message);
        }
        if (status == 501) {
            return Fault.Refused.invalid(message(body));
        }
        if (status >= 500) {
            return new Fault.Broken(Fault.Kind.SERVER_ERROR, message);
        }
        if (status == 424 && REASON_KEPT.matcher(body).find()) {
            return Fault.Refused.invalid(
                    message(body) + ": the reason is in the server's log; a prompt longer than the context is one");
        }
        if (status >= 400) {
            return Fault.Refused.invalid(message(body));
        }
        return misconfigured(message, "the url that answers itself, with 200");
    }

    /** What an error in a stream that began with 200 means: its own code counts, in or beside it, else it is the server's fault. */
    static Fault inStream(JsonNode chunk) {
        JsonNode error = chunk.path("error");
        int code = error.path("code")
                .asInt(error.path("status").asInt(chunk.path("code").asInt(0)));
        int status = code >= 400 && code <= 599 ? code : 500;
        return of(status, Optional.empty(), chunk.toString(), Instant.EPOCH);
    }

    private static Fault notFound(String message) {
        return away(Fault.Kind.NOT_FOUND, message, "the server's path and model: see remote url and model");
    }

    private static Fault wrongCredentials(String message) {
        return misconfigured(message, "credentials that the server takes: see remote.api_key");
    }

    private static Fault misconfigured(String message, String expected) {
        return away(Fault.Kind.MISCONFIGURED, message, expected);
    }

    private static Fault away(Fault.Kind kind, String message, String expected) {
        return new Fault.Away(kind, message + ", expected=" + expected, Optional.empty());
    }

    /** Seconds, or a date. */
    private static Optional<Duration> delay(String retryAfter, Instant now) {
        try {
            Duration asked = retryAfter.strip().matches("\\d{1,9}")
                    ? Duration.ofSeconds(Long.parseLong(retryAfter.strip()))
                    : Duration.between(
                            now,
                            ZonedDateTime.parse(retryAfter.strip(), DateTimeFormatter.RFC_1123_DATE_TIME)
                                    .toInstant());
            if (asked.isNegative()) {
                return Optional.of(Duration.ZERO);
            }
            return Optional.of(asked.compareTo(MOST_RETRY_AFTER) > 0 ? MOST_RETRY_AFTER : asked);
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }

    /** The server's own words, or the body's beginning. */
    private static String message(String body) {
        String line = words(body).strip().replaceAll("\\s+", " ");
        String shown = line.length() <= MAX_MESSAGE_CHARS ? line : line.substring(0, MAX_MESSAGE_CHARS) + "…";
        return shown.isEmpty() ? "no message" : shown;
    }

    /** Of OpenAI's error object, FastAPI's detail, Triton's error text, or the body. */
    private static String words(String body) {
        return Json.tryParse(body).map(ServerFaults::words).orElse(body);
    }

    private static String words(JsonNode body) {
        JsonNode error = body.path("error");
        for (JsonNode candidate :
                List.of(error.path("message"), error, body.path("message"), body.path("detail"), body)) {
            if (candidate.isTextual()) {
                return candidate.textValue();
            }
        }
        if (body.path("detail").isArray()) {
            List<String> each = new ArrayList<>();
            body.path("detail")
                    .forEach(one ->
                            each.add(one.path("loc") + ": " + one.path("msg").asText()));
            return String.join("; ", each);
        }
        return body.toString();
    }
}
