package io.millrace.streams.topology;

import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * The key of an output together with the input partition it comes from. A partitioner sees only the key, and the output's
 * partition follows the input's.
 *
 * @param inputPartition from 0
 * @param key what is written; null where the prompt had none
 */
public record OutKey(int inputPartition, byte @Nullable [] key) {

    /** Writes the key alone. */
    // Kafka's serializers return null for null; the interface is not annotated
    @SuppressWarnings("NullAway")
    static final Serializer<OutKey> SERIALIZER = (topic, outKey) -> outKey.key();
}
