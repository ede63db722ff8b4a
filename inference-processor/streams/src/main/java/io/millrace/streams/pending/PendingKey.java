package io.millrace.streams.pending;

import java.nio.ByteBuffer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.utils.Bytes;

/**
 * One prompt event. The topic's id, not its name, so that a topic that was deleted and created again never matches
 * entries of the old one.
 *
 * @param partition from 0
 * @param offset from 0
 */
public record PendingKey(Uuid topicId, int partition, long offset) {

    /** Encoded size: topic id, partition, offset. */
    public static final int SIZE_BYTES = 2 * Long.BYTES + Integer.BYTES + Long.BYTES;

    /** Big-endian topic id, partition, offset: the store iterates in offset order. */
    public Bytes encode() {
        return Bytes.wrap(ByteBuffer.allocate(SIZE_BYTES)
                .putLong(topicId.getMostSignificantBits())
                .putLong(topicId.getLeastSignificantBits())
                .putInt(partition)
                .putLong(offset)
                .array());
    }

    /**
     * Reads what {@link #encode} wrote.
     *
     * @throws SerializationException where the length is another
     */
    public static PendingKey decode(Bytes encoded) {
        byte[] bytes = encoded.get();
        if (bytes.length != SIZE_BYTES) {
            throw new SerializationException("pending key length=" + bytes.length + ", expected=" + SIZE_BYTES);
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return new PendingKey(new Uuid(buffer.getLong(), buffer.getLong()), buffer.getInt(), buffer.getLong());
    }
}
