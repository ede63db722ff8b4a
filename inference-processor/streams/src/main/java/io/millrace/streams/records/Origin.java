package io.millrace.streams.records;

import io.millrace.schemas.Source;
import java.time.Instant;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * The prompt event that an output is about.
 *
 * @param timestampMs the record's, milliseconds since 1970-01-01 UTC
 * @param key the record's key, which outputs keep
 * @param headers the record's headers, which outputs keep
 * @param recoveries times the prompt was submitted again
 */
public record Origin(
        String topic,
        int partition,
        long offset,
        long timestampMs,
        byte @Nullable [] key,
        List<Header> headers,
        int recoveries) {

    /** {@code topic-partition-offset}: the request's id where the caller gave none. */
    public String id() {
        return topic + "-" + partition + "-" + offset;
    }

    /** The same as records say it. */
    public Source source() {
        return new Source(topic, partition, offset, Instant.ofEpochMilli(timestampMs));
    }
}
