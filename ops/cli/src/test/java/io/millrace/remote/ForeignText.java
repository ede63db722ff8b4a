package io.millrace.remote;

import io.millrace.remote.protocol.AnswerReader;
import io.millrace.remote.protocol.FaultException;
import io.millrace.remote.protocol.Json;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.NullMarked;

/** Opens the remote engine's own readers to the fuzzer, which is elsewhere. */
@NullMarked
public final class ForeignText {

    private ForeignText() {}

    /** Data of all server-sent events of a stream that comes in pieces of so many bytes at most. */
    public static List<String> events(byte[] stream, int pieceBytes) throws IOException {
        return all(stream, pieceBytes, EventStream.Format.SERVER_SENT);
    }

    /** The same where each line is an event. */
    public static List<String> lines(byte[] stream, int pieceBytes) throws IOException {
        return all(stream, pieceBytes, EventStream.Format.LINES);
    }

    private static List<String> all(byte[] stream, int pieceBytes, EventStream.Format format) throws IOException {
        InputStream pieces = new ByteArrayInputStream(stream) {
            @Override
            public synchronized int read(byte[] bytes, int offset, int length) {
                return super.read(bytes, offset, Math.min(length, pieceBytes));
            }
        };
        EventStream events = new EventStream(pieces, format);
        List<String> all = new ArrayList<>();
        for (Optional<String> data = events.next(); data.isPresent(); data = events.next()) {
            all.add(data.get());
        }
        return all;
    }

    /** Reads events as an exchange does. */
    public static void accept(List<String> events, AnswerReader reader) throws FaultException {
        for (String data : events) {
            if (data.equals("[DONE]")) {
                break;
            }
            reader.accept(Json.parse(data));
        }
        reader.ended();
    }

    /** A metric's sum. */
    public static OptionalDouble sum(String text, String metric) {
        return PrometheusText.sum(text, metric);
    }
}
