package io.millrace.streams.topology;

import io.millrace.streams.pending.Payload;
import io.millrace.streams.pending.PendingCodec;
import io.millrace.streams.pending.PendingKey;
import io.millrace.streams.pending.PendingPrompt;
import io.millrace.streams.records.KeptHeaders;
import io.millrace.streams.records.RecordSize;
import io.millrace.streams.records.SizeLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.streams.processor.api.Record;
import org.jspecify.annotations.Nullable;

/** From a record to the entry that the pending store keeps of it. Pure. */
final class Admission {

    /** What is kept of key and headers of a prompt that is too large for the store. */
    private static final int KEPT_BYTES = 1024;

    private Admission() {}

    /** The prompt, or where it is too large for the changelog only what the failure record needs. */
    static PendingPrompt of(Record<byte[], byte[]> record, long nowMs, SizeLimits limits) {
        PendingPrompt prompt = PendingPrompt.admitted(
                record.key(), payload(record.value()), copyOf(record.headers()), record.timestamp(), nowMs);
        long size = RecordSize.upperBound(PendingKey.SIZE_BYTES, PendingCodec.sizeBytes(prompt), List.of());
        if (size <= limits.pending()) {
            return prompt;
        }
        byte[] key = prompt.key();
        return prompt.reducedTo(
                new Payload.TooLarge(size, limits.pending()),
                key == null || key.length > KEPT_BYTES ? null : key,
                kept(prompt.headers()));
    }

    /** All, or those without which its sender would not know the failure, or none. */
    private static List<Header> kept(List<Header> headers) {
        return Stream.of(headers, KeptHeaders.of(headers))
                .filter(some -> RecordSize.upperBound(0, 0, some) <= KEPT_BYTES)
                .findFirst()
                .orElse(List.of());
    }

    private static Payload payload(byte @Nullable [] value) {
        return value == null ? new Payload.Absent() : new Payload.Raw(value);
    }

    /** Kafka's headers decode themselves lazily and not safely for several threads. */
    private static List<Header> copyOf(Headers headers) {
        List<Header> copy = new ArrayList<>();
        for (Header header : headers) {
            copy.add(new RecordHeader(header.key(), header.value()));
        }
        return copy;
    }
}
