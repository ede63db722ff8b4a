package io.millrace.ingest;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Lines of UTF-8 text, numbered from 1, blank ones skipped. A line that is too long or no UTF-8 is returned as such, and
 * reading goes on after it; no more than one line is held.
 *
 * <p>Threads: one at a time.
 */
public final class LineReader implements AutoCloseable {

    /** A prompt that Kafka's default limits would take is 1 MiB; this leaves room for topics that take more. */
    public static final int DEFAULT_MAX_LINE_BYTES = 16 << 20;

    private static final int BYTE_ORDER_MARK_BYTES = 3;

    /** What stands on one line. */
    public sealed interface Line {

        /** The line's number, from 1. */
        long number();

        /** Text without its line end; not blank. */
        record Text(long number, String text) implements Line {}

        /** Not readable; {@code reason} names the value and what was expected. */
        record Unreadable(long number, String reason) implements Line {}
    }

    private final BufferedInputStream in;
    private final int maxLineBytes;
    private long number;
    private boolean ended;

    public LineReader(InputStream in) {
        this(in, DEFAULT_MAX_LINE_BYTES);
    }

    public LineReader(InputStream in, int maxLineBytes) {
        this.in = new BufferedInputStream(in, 1 << 16);
        this.maxLineBytes = maxLineBytes;
    }

    /** The next line that is not blank; empty at the end. */
    public Optional<Line> next() throws IOException {
        while (!ended) {
            var bytes = new ByteArrayOutputStream();
            long length = readLine(bytes);
            if (ended && length == 0) {
                break;
            }
            number++;
            if (length > maxLineBytes) {
                String reason = "line_bytes=" + length + ", expected=at most " + maxLineBytes;
                return Optional.of(new Line.Unreadable(number, reason));
            }
            Line line = decode(bytes.toByteArray());
            if (!(line instanceof Line.Text text && text.text().isBlank())) {
                return Optional.of(line);
            }
        }
        return Optional.empty();
    }

    /** Reads up to a line feed or the end and returns the line's length; of a line that is too long only the start is kept. */
    private long readLine(ByteArrayOutputStream bytes) throws IOException {
        long length = 0;
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                ended = true;
                break;
            }
            length++;
            if (length <= maxLineBytes) {
                bytes.write(b);
            }
        }
        return length;
    }

    private Line decode(byte[] bytes) {
        int from = number == 1 && startsWithByteOrderMark(bytes) ? BYTE_ORDER_MARK_BYTES : 0;
        int to = bytes.length > from && bytes[bytes.length - 1] == '\r' ? bytes.length - 1 : bytes.length;
        try {
            var text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, from, to - from));
            return new Line.Text(number, text.toString());
        } catch (CharacterCodingException e) {
            return new Line.Unreadable(number, "encoding=not UTF-8, expected=UTF-8");
        }
    }

    private static boolean startsWithByteOrderMark(byte[] bytes) {
        return bytes.length >= BYTE_ORDER_MARK_BYTES
                && bytes[0] == (byte) 0xEF
                && bytes[1] == (byte) 0xBB
                && bytes[2] == (byte) 0xBF;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
