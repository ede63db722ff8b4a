package io.millrace.streams.records;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** Upper bounds of what records take on the wire, uncompressed, alone in their batch. */
public final class RecordSize {

    /** A batch's header. */
    private static final int BATCH_BYTES = 61;

    private static final int VARINT_BYTES = 5;
    private static final int VARLONG_BYTES = 10;

    /** Length, attributes, timestamp and offset deltas, and the lengths of key, value and header count. */
    private static final int RECORD_BYTES = VARINT_BYTES + 1 + VARLONG_BYTES + VARINT_BYTES + 3 * VARINT_BYTES;

    private RecordSize() {}

    /** Bytes of a batch that holds this record alone, at most. */
    public static long upperBound(byte @Nullable [] key, byte @Nullable [] value, Iterable<Header> headers) {
        return upperBound(key == null ? 0 : key.length, value == null ? 0 : value.length, headers);
    }

    /** As above, from lengths. */
    public static long upperBound(long keyBytes, long valueBytes, Iterable<Header> headers) {
        long size = BATCH_BYTES + RECORD_BYTES + keyBytes + valueBytes;
        for (Header header : headers) {
            byte[] value = header.value();
            size += 2 * VARINT_BYTES
                    + header.key().getBytes(StandardCharsets.UTF_8).length
                    + (value == null ? 0 : value.length);
        }
        return size;
    }
}
