package io.millrace.streams.records;

import java.util.Map;

/**
 * Most bytes that one record may take, as {@link RecordSize} counts them. A record that the broker or the producer
 * refuses would abort the transaction again and again, so sizes are checked before a record leaves the program.
 *
 * @param pending of the pending store's changelog
 * @param outputs of each sink's topic
 */
public record SizeLimits(long pending, Map<Sink, Long> outputs) {

    /** A failure record always fits: its parts are shortened until it does, and this much is left of it. */
    public static final long LEAST_BYTES = 4096;

    public SizeLimits {
        check("changelog", pending);
        outputs = Map.copyOf(outputs);
        for (Sink sink : Sink.values()) {
            check(sink.nodeName(), outputs.getOrDefault(sink, 0L));
        }
    }

    /** The limit of a sink. */
    public long of(Sink sink) {
        return outputs.getOrDefault(sink, 0L);
    }

    private static void check(String name, long bytes) {
        if (bytes < LEAST_BYTES) {
            throw new IllegalArgumentException(
                    "max.message.bytes of " + name + "=" + bytes + ", expected=at least " + LEAST_BYTES + " bytes");
        }
    }
}
