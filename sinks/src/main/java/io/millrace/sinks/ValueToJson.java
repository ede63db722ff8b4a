package io.millrace.sinks;

import org.apache.kafka.clients.consumer.ConsumerRecord;

/** How a record's value becomes JSON. */
@FunctionalInterface
public interface ValueToJson {

    /**
     * The value as JSON.
     *
     * @param record the record, for its topic and headers
     * @param value its value
     * @return one JSON value in UTF-8
     * @throws org.apache.kafka.common.errors.SerializationException if the bytes are not what they should be
     */
    byte[] toJson(ConsumerRecord<byte[], byte[]> record, byte[] value);

    /** Of topics that hold JSON: the value itself. */
    static ValueToJson json() {
        return (record, value) -> value;
    }
}
