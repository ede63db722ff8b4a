package io.millrace.llm.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A cursor over the little-endian header of a mapped file. It checks each length against what remains before it reads or allocates. */
final class HeaderReader {

    /** Longest string accepted, in bytes: the longest real ones are chat templates of some ten thousand. */
    static final long MAX_STRING_BYTES = 16L << 20;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final MemorySegment bytes;
    private long position;

    HeaderReader(Path file, MemorySegment bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    long position() {
        return position;
    }

    long remaining() {
        return bytes.byteSize() - position;
    }

    byte readByte(String what) throws GgufException {
        return bytes.get(ValueLayout.JAVA_BYTE, take(Byte.BYTES, what));
    }

    short readShort(String what) throws GgufException {
        return bytes.get(SHORT, take(Short.BYTES, what));
    }

    int readInt(String what) throws GgufException {
        return bytes.get(INT, take(Integer.BYTES, what));
    }

    long readLong(String what) throws GgufException {
        return bytes.get(LONG, take(Long.BYTES, what));
    }

    /** Reads a 64-bit count of things which take at least {@code minBytesEach} bytes each, and at most {@code max} of them. */
    int readCount(String what, long minBytesEach, long max) throws GgufException {
        long start = position;
        long count = readLong(what);
        if (count < 0 || count > max) {
            throw failure(start, what + " between 0 and " + max, Long.toUnsignedString(count));
        }
        if (count > remaining() / minBytesEach) {
            throw failure(start, what + " of at most " + remaining() / minBytesEach + " (the file ends)", "" + count);
        }
        return Math.toIntExact(count);
    }

    /** Reads a length-prefixed UTF-8 string. */
    String readString(String what) throws GgufException {
        int length = readCount("length of " + what, 1, MAX_STRING_BYTES);
        long start = take(length, what);
        ByteBuffer encoded = bytes.asSlice(start, length).asByteBuffer();
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(encoded).toString();
        } catch (CharacterCodingException e) {
            GgufException failure = failure(start, what + " in UTF-8", "invalid bytes");
            failure.initCause(e);
            throw failure;
        }
    }

    /** The next {@code count} bytes, which the cursor then stands behind. */
    MemorySegment slice(long count, String what) throws GgufException {
        return bytes.asSlice(take(count, what), count);
    }

    GgufException failure(long offset, String expected, String found) {
        return new GgufException(file, offset, expected, found);
    }

    private long take(long count, String what) throws GgufException {
        if (count > remaining()) {
            throw failure(position, what + " of " + count + " bytes", "end of file after " + remaining() + " bytes");
        }
        long start = position;
        position += count;
        return start;
    }
}
