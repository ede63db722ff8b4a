package io.millrace.remote;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Events, as far as model servers use them: the data of each. What the stream may hold in all bounds its lines, too.
 *
 * <p>Threads: its caller's.
 */
final class EventStream {

    private static final int BUFFER_BYTES = 8 << 10;

    private final InputStream in;
    private final Format format;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private int position;
    private int limit;
    private boolean afterCarriageReturn;

    EventStream(InputStream in, Format format) {
        this.in = in;
        this.format = format;
    }

    /** How events stand in a stream. */
    enum Format {
        /** Server-sent events. */
        SERVER_SENT,
        /** Each line is one, as DJL-Serving sends them; the last may lack its end. */
        LINES;

        private static final Pattern LINES_TYPE = Pattern.compile("application/(x-)?(jsonlines|jsonl|ndjson)\\b.*");

        /** By the response's type; empty where that is no stream's. */
        static Optional<Format> of(String contentType) {
            String type = contentType.strip().toLowerCase(Locale.ROOT);
            if (type.startsWith("text/event-stream")) {
                return Optional.of(SERVER_SENT);
            }
            return LINES_TYPE.matcher(type).matches() ? Optional.of(LINES) : Optional.empty();
        }
    }

    /** Data of the next event that has some; empty at the end of the stream. What an unfinished event held is lost. */
    Optional<String> next() throws IOException {
        return switch (format) {
            case SERVER_SENT -> nextServerSent();
            case LINES -> nextLine();
        };
    }

    private Optional<String> nextLine() throws IOException {
        while (true) {
            Optional<String> next = readLine();
            String text = next.orElseGet(() -> line.toString(StandardCharsets.UTF_8));
            if (!text.isBlank()) {
                return Optional.of(text);
            }
            if (next.isEmpty()) {
                return Optional.empty();
            }
        }
    }

    private Optional<String> nextServerSent() throws IOException {
        StringBuilder data = new StringBuilder();
        boolean hasData = false;
        while (true) {
            Optional<String> next = readLine();
            if (next.isEmpty()) {
                return Optional.empty();
            }
            String text = next.get();
            if (text.isEmpty() && hasData) {
                return Optional.of(data.toString());
            }
            if (text.startsWith("data:")) {
                if (hasData) {
                    data.append('\n');
                }
                data.append(text, text.startsWith("data: ") ? "data: ".length() : "data:".length(), text.length());
                hasData = true;
            }
        }
    }

    /** A line without its end, which is LF, CR or both; empty at the end of the stream. */
    private Optional<String> readLine() throws IOException {
        line.reset();
        while (true) {
            if (position == limit) {
                limit = in.read(buffer);
                position = 0;
                if (limit < 0) {
                    limit = 0;
                    return Optional.empty();
                }
            }
            if (position < limit && afterCarriageReturn) {
                afterCarriageReturn = false;
                if (buffer[position] == '\n') {
                    position++;
                }
            }
            int start = position;
            while (position < limit && buffer[position] != '\n' && buffer[position] != '\r') {
                position++;
            }
            line.write(buffer, start, position - start);
            if (position < limit) {
                afterCarriageReturn = buffer[position] == '\r';
                position++;
                return Optional.of(line.toString(StandardCharsets.UTF_8));
            }
        }
    }
}
