package io.millrace.streams.deduplication;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.utils.Bytes;

/**
 * The store's entries. Key: the first 16 bytes of the SHA-256 of the {@code request_id}'s UTF-8, so that an id of any
 * length takes the same room. Value, format 1, big-endian: u8 format, topic id, i64 offset, i64 time.
 */
final class TakenCodec {

    static final byte FORMAT = 1;

    private static final int KEY_BYTES = 16;
    private static final int VALUE_BYTES = 1 + 4 * Long.BYTES;

    private TakenCodec() {}

    /**
     * One entry's value.
     *
     * @param offset of the prompt that took the id
     * @param atMs when, on the window's clock
     */
    record Taken(Uuid topicId, long offset, long atMs) {}

    static Bytes key(String requestId) {
        byte[] digest = sha256().digest(requestId.getBytes(StandardCharsets.UTF_8));
        return Bytes.wrap(Arrays.copyOf(digest, KEY_BYTES));
    }

    static byte[] encode(Taken taken) {
        return ByteBuffer.allocate(VALUE_BYTES)
                .put(FORMAT)
                .putLong(taken.topicId().getMostSignificantBits())
                .putLong(taken.topicId().getLeastSignificantBits())
                .putLong(taken.offset())
                .putLong(taken.atMs())
                .array();
    }

    /**
     * Reads what {@link #encode} wrote.
     *
     * @throws SerializationException an unknown format, or another length
     */
    static Taken decode(byte[] value) {
        if (value.length == 0 || value[0] != FORMAT) {
            throw new SerializationException("request entry format=" + (value.length == 0 ? "absent" : value[0])
                    + ", expected=" + FORMAT + ": written by a newer release; run that release, or one between");
        }
        if (value.length != VALUE_BYTES) {
            throw new SerializationException("request entry length=" + value.length + ", expected=" + VALUE_BYTES);
        }
        ByteBuffer in = ByteBuffer.wrap(value, 1, VALUE_BYTES - 1);
        return new Taken(new Uuid(in.getLong(), in.getLong()), in.getLong(), in.getLong());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
