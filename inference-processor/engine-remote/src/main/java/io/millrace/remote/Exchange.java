package io.millrace.remote;

import io.millrace.remote.RemoteOptions.Connection;
import io.millrace.remote.protocol.Answer;
import io.millrace.remote.protocol.AnswerReader;
import io.millrace.remote.protocol.Fault;
import io.millrace.remote.protocol.FaultException;
import io.millrace.remote.protocol.Json;
import io.millrace.remote.protocol.ServerCall;
import io.millrace.remote.protocol.ServerCall.Delivery;
import io.millrace.remote.protocol.ServerFaults;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * One attempt over HTTP: sends the body, reads the answer.
 *
 * <p>Threads: that of the attempt. An interrupt ends it, and closes the connection.
 */
final class Exchange {

    private static final String DONE = "[DONE]";

    /** Of an error response, this much is read. */
    private static final int ERROR_BYTES = 64 << 10;

    private final Connections connections;
    private final Connection options;
    private final RemoteClock clock;

    Exchange(Connections connections, Connection options, RemoteClock clock) {
        this.connections = connections;
        this.options = options;
        this.clock = clock;
    }

    /** Told of what comes, on the attempt's thread. */
    interface Progress {
        /** Parts with something generated that have come so far. */
        void parts(int parts);
    }

    /**
     * Asks the attempt's endpoint.
     *
     * @param reader gets what comes
     * @throws FaultException when there is no answer
     * @throws InterruptedException when the attempt was stopped before it was answered
     */
    Answer ask(ServerCall call, Attempt attempt, AnswerReader reader, Progress progress)
            throws FaultException, InterruptedException {
        Map<String, String> secrets = secrets();
        try {
            HttpResponse<InputStream> response = connections.send(request(call, attempt, secrets));
            attempt.heard(clock.nanoTime());
            try (ResponseBody body =
                    new ResponseBody(response.body(), options.maxResponseBytes(), attempt, clock::nanoTime)) {
                if (response.statusCode() != 200) {
                    throw refused(response, body);
                }
                return read(call, attempt, response, body, reader, progress);
            }
        } catch (FaultException e) {
            throw new FaultException(redacted(e.fault(), secrets));
        } catch (IOException e) {
            if (attempt.stopped() != null) {
                throw new InterruptedException();
            }
            throw new FaultException(redacted(fault(e), secrets));
        }
    }

    private Map<String, String> secrets() throws FaultException {
        try {
            return options.secrets();
        } catch (IllegalArgumentException e) {
            throw new FaultException(
                    new Fault.Away(Fault.Kind.MISCONFIGURED, String.valueOf(e.getMessage()), Optional.empty()));
        }
    }

    private HttpRequest request(ServerCall call, Attempt attempt, Map<String, String> secrets) {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        attempt.endpoint().server().at(call.path()))
                .POST(BodyPublishers.ofByteArray(call.body()))
                .setHeader("Content-Type", "application/json")
                .setHeader("Accept", call.delivery() == Delivery.STREAMED ? "text/event-stream" : "application/json");
        options.headers().forEach(request::setHeader);
        secrets.forEach(request::setHeader);
        return request.build();
    }

    private FaultException refused(HttpResponse<InputStream> response, ResponseBody body) {
        String text;
        try {
            byte[] bytes = body.readNBytes(ERROR_BYTES);
            text = new String(bytes, StandardCharsets.UTF_8);
            Optional<EventStream.Format> format = EventStream.Format.of(type(response));
            if (format.isPresent()) { // Triton refuses a stream with an event
                text = new EventStream(new ByteArrayInputStream(bytes), format.get())
                        .next()
                        .orElse(text);
            }
        } catch (IOException e) {
            text = "";
        }
        Optional<String> retryAfter = response.headers().firstValue("Retry-After");
        return new FaultException(ServerFaults.of(response.statusCode(), retryAfter, text, clock.now()));
    }

    private static Answer read(
            ServerCall call,
            Attempt attempt,
            HttpResponse<InputStream> response,
            ResponseBody body,
            AnswerReader reader,
            Progress progress)
            throws IOException, FaultException {
        try {
            Optional<EventStream.Format> format = EventStream.Format.of(type(response));
            if (call.delivery() == Delivery.STREAMED && format.isPresent()) {
                readEvents(new EventStream(body, format.get()), reader, progress);
            } else {
                // a gateway may answer in one piece what was asked for as a stream
                attempt.cameWhole();
                reader.accept(Json.parse(new String(body.readAllBytes(), StandardCharsets.UTF_8)));
                progress.parts(reader.parts());
            }
            reader.ended();
            return reader.answer();
        } catch (IOException e) {
            // what comes after the end of the answer is not missed
            return whole(reader).orElseThrow(() -> e);
        }
    }

    private static String type(HttpResponse<?> response) {
        return response.headers().firstValue("Content-Type").orElse("");
    }

    private static Optional<Answer> whole(AnswerReader reader) {
        try {
            return Optional.of(reader.answer());
        } catch (FaultException e) {
            return Optional.empty();
        }
    }

    /** To the end of the body, also past the end of the events: so the connection can be used again. Unless more would be generated. */
    private static void readEvents(EventStream events, AnswerReader reader, Progress progress)
            throws IOException, FaultException {
        boolean done = false;
        Optional<String> data = events.next();
        while (data.isPresent()) {
            done |= data.get().equals(DONE);
            if (!done) {
                reader.accept(Json.parse(data.get()));
                progress.parts(reader.parts());
            }
            data = reader.isComplete() ? Optional.empty() : events.next();
        }
    }

    private static Fault fault(IOException e) {
        return switch (e) {
            case ResponseBody.TooLargeException large -> large.fault().fault();
            case ConnectException _ -> away(Fault.Kind.CONNECT, "no connection", e);
            case HttpConnectTimeoutException _ -> away(Fault.Kind.CONNECT, "no connection in time", e);
            case UnknownHostException _ -> away(Fault.Kind.CONNECT, "unknown host", e);
            case SSLException _ -> away(Fault.Kind.CONNECT, "no TLS connection", e);
            default ->
                new Fault.Broken(Fault.Kind.BROKEN_BODY, "the connection ended before the answer did: " + text(e));
        };
    }

    private static Fault away(Fault.Kind kind, String what, IOException e) {
        boolean unresolved = e.getCause() instanceof UnresolvedAddressException
                || (e.getCause() != null && e.getCause().getCause() instanceof UnresolvedAddressException);
        return new Fault.Away(kind, (unresolved ? "unknown host" : what) + ": " + text(e), Optional.empty());
    }

    private static String text(IOException e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    /** Servers repeat credentials in their complaints about them. */
    static String redacted(String message, Collection<String> secrets) {
        String redacted = message;
        for (String secret : secrets) {
            redacted = redacted.replace(secret.substring(secret.indexOf(' ') + 1), "***");
        }
        return redacted;
    }

    private static Fault redacted(Fault fault, Map<String, String> secrets) {
        String message = redacted(fault.message(), secrets.values());
        return switch (fault) {
            case Fault.Away away -> new Fault.Away(away.kind(), message, away.retryAfter());
            case Fault.Broken broken -> new Fault.Broken(broken.kind(), message);
            case Fault.Refused refused -> new Fault.Refused(refused.kind(), refused.code(), message);
        };
    }
}
