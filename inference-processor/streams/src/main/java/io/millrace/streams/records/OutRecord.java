package io.millrace.streams.records;

import java.util.List;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** One record to forward, serialized and known to fit its topic. */
public record OutRecord(Sink sink, byte @Nullable [] key, byte @Nullable [] value, List<Header> headers) {

    public OutRecord {
        headers = List.copyOf(headers);
    }

    /** What it takes on the wire, at most. */
    public long sizeBytes() {
        return RecordSize.upperBound(key, value, headers);
    }
}
