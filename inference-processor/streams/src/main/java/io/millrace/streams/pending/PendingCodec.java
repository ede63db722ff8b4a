package io.millrace.streams.pending;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;

/**
 * The pending store's values. Format 2, big-endian:
 *
 * <pre>
 *  u8  format = 2
 *  u8  flags: 1 key is present, 2 alone; 4 payload is raw, 8 payload was too large, neither: absent
 *  i64 timestamp    i64 admittedAt    (milliseconds)
 *  i32 recoveries   i32 strikes
 *  2 i64 process that runs it alone; 0: nobody (format 1 did not say who)
 *  key      i32 length, bytes                        when present
 *  payload  i32 length, bytes                        when raw
 *           i64 size, i64 limit                      when too large
 *  i32 headers, each: i32 length, UTF-8 name; i32 length or -1 for null, bytes
 * </pre>
 *
 * A new format is read for one release before it is written, so that a rolling deploy can go back.
 */
public final class PendingCodec {

    /** The format that is written. */
    public static final byte FORMAT = 2;

    private static final byte WITHOUT_PROCESS = 1;

    private static final int HAS_KEY = 1;
    private static final int ALONE = 2;
    private static final int RAW = 4;
    private static final int TOO_LARGE = 8;
    private static final int KNOWN_FLAGS = HAS_KEY | ALONE | RAW | TOO_LARGE;
    private static final int FIXED_BYTES = 2 + 4 * Long.BYTES + 2 * Integer.BYTES;
    private static final int NULL_LENGTH = -1;
    private static final UUID NOBODY = new UUID(0, 0);

    private PendingCodec() {}

    /** Size of {@link #encode}'s answer, bytes, without encoding. */
    public static long sizeBytes(PendingPrompt prompt) {
        long size = FIXED_BYTES + Integer.BYTES;
        byte[] key = prompt.key();
        size += key == null ? 0 : Integer.BYTES + (long) key.length;
        size += switch (prompt.payload()) {
            case Payload.Raw raw -> Integer.BYTES + (long) raw.bytes().length;
            case Payload.Absent _ -> 0;
            case Payload.TooLarge _ -> 2 * Long.BYTES;
        };
        for (Header header : prompt.headers()) {
            byte[] value = header.value();
            size += 2 * Integer.BYTES + utf8(header.key()).length + (value == null ? 0 : value.length);
        }
        return size;
    }

    /** Writes format {@value #FORMAT}. */
    public static byte[] encode(PendingPrompt prompt) {
        ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(sizeBytes(prompt)));
        byte[] key = prompt.key();
        out.put(FORMAT).put((byte) flags(prompt));
        out.putLong(prompt.timestampMs()).putLong(prompt.admittedAtMs());
        out.putInt(prompt.recoveries()).putInt(prompt.strikes());
        UUID process = prompt.aloneIn().orElse(NOBODY);
        out.putLong(process.getMostSignificantBits()).putLong(process.getLeastSignificantBits());
        if (key != null) {
            out.putInt(key.length).put(key);
        }
        switch (prompt.payload()) {
            case Payload.Raw raw -> out.putInt(raw.bytes().length).put(raw.bytes());
            case Payload.Absent _ -> {}
            case Payload.TooLarge size -> out.putLong(size.sizeBytes()).putLong(size.limitBytes());
        }
        putHeaders(out, prompt.headers());
        return out.array();
    }

    private static int flags(PendingPrompt prompt) {
        int payload = switch (prompt.payload()) {
            case Payload.Raw _ -> RAW;
            case Payload.Absent _ -> 0;
            case Payload.TooLarge _ -> TOO_LARGE;
        };
        return payload | (prompt.key() == null ? 0 : HAS_KEY) | (prompt.alone() ? ALONE : 0);
    }

    private static void putHeaders(ByteBuffer out, List<Header> headers) {
        out.putInt(headers.size());
        for (Header header : headers) {
            byte[] name = utf8(header.key());
            byte[] value = header.value();
            out.putInt(name.length).put(name);
            if (value == null) {
                out.putInt(NULL_LENGTH);
            } else {
                out.putInt(value.length).put(value);
            }
        }
    }

    /**
     * Reads what {@link #encode} wrote.
     *
     * @throws SerializationException an unknown format, or bytes that end early or late
     */
    public static PendingPrompt decode(byte[] encoded) {
        ByteBuffer in = ByteBuffer.wrap(encoded);
        try {
            byte format = in.get();
            if (format != FORMAT && format != WITHOUT_PROCESS) {
                throw new SerializationException("pending entry format=" + format + ", expected=" + WITHOUT_PROCESS
                        + " or " + FORMAT + ": written by a newer release; run that release, or one between");
            }
            PendingPrompt prompt = decodeBody(in, format);
            if (in.hasRemaining()) {
                throw new SerializationException(
                        "pending entry length=" + encoded.length + ", expected=" + in.position());
            }
            return prompt;
        } catch (BufferUnderflowException e) {
            throw new SerializationException("pending entry length=" + encoded.length + ", expected more", e);
        }
    }

    private static PendingPrompt decodeBody(ByteBuffer in, byte format) {
        int flags = in.get();
        if ((flags & ~KNOWN_FLAGS) != 0) {
            throw new SerializationException("pending entry flags=" + flags + ", expected none above " + KNOWN_FLAGS);
        }
        long timestampMs = in.getLong();
        long admittedAtMs = in.getLong();
        int recoveries = in.getInt();
        int strikes = in.getInt();
        UUID process = format == WITHOUT_PROCESS ? NOBODY : new UUID(in.getLong(), in.getLong());
        byte[] key = (flags & HAS_KEY) == 0 ? null : bytes(in, in.getInt());
        Payload payload = payload(in, flags);
        return new PendingPrompt(
                key,
                payload,
                headers(in),
                timestampMs,
                admittedAtMs,
                recoveries,
                strikes,
                (flags & ALONE) == 0 ? Optional.empty() : Optional.of(process));
    }

    private static Payload payload(ByteBuffer in, int flags) {
        if ((flags & RAW) != 0) {
            return new Payload.Raw(bytes(in, in.getInt()));
        }
        return (flags & TOO_LARGE) != 0 ? new Payload.TooLarge(in.getLong(), in.getLong()) : new Payload.Absent();
    }

    private static List<Header> headers(ByteBuffer in) {
        int count = in.getInt();
        // a header takes at least its two lengths: no allocation by an unchecked count
        if (count < 0 || count > in.remaining() / (2 * Integer.BYTES)) {
            throw new BufferUnderflowException();
        }
        List<Header> headers = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            String name = new String(bytes(in, in.getInt()), StandardCharsets.UTF_8);
            int length = in.getInt();
            byte @Nullable [] value = length == NULL_LENGTH ? null : bytes(in, length);
            headers.add(header(name, value));
        }
        return headers;
    }

    // Kafka's headers carry null values; its classes are not annotated
    @SuppressWarnings("NullAway")
    private static Header header(String name, byte @Nullable [] value) {
        return new RecordHeader(name, value);
    }

    private static byte[] bytes(ByteBuffer in, int length) {
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
