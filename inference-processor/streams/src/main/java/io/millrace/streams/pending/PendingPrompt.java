package io.millrace.streams.pending;

import java.util.List;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * A prompt that has no answer yet, with all that is needed to answer it after a restart.
 *
 * @param key the record's key
 * @param payload the record's value
 * @param headers the record's headers, in order
 * @param timestampMs the record's timestamp, or the time of admission where it had none
 * @param admittedAtMs when the processor took it, milliseconds since 1970-01-01 UTC
 * @param recoveries times it was submitted again after a restart or a rebalance
 * @param strikes times its owner died while it ran alone
 * @param alone whether it is marked to run alone
 */
public record PendingPrompt(
        byte @Nullable [] key,
        Payload payload,
        List<Header> headers,
        long timestampMs,
        long admittedAtMs,
        int recoveries,
        int strikes,
        boolean alone) {

    public PendingPrompt {
        headers = List.copyOf(headers);
    }

    /** A prompt that was just read from its topic. */
    public static PendingPrompt admitted(
            byte @Nullable [] key, Payload payload, List<Header> headers, long timestampMs, long admittedAtMs) {
        return new PendingPrompt(key, payload, headers, timestampMs, admittedAtMs, 0, 0, false);
    }

    /** The same prompt after one more restart or rebalance. */
    public PendingPrompt recovered() {
        return new PendingPrompt(key, payload, headers, timestampMs, admittedAtMs, recoveries + 1, strikes, alone);
    }

    /** The same prompt without what makes it too large. */
    public PendingPrompt reducedTo(Payload.TooLarge size, byte @Nullable [] keptKey, List<Header> keptHeaders) {
        return new PendingPrompt(keptKey, size, keptHeaders, timestampMs, admittedAtMs, recoveries, strikes, alone);
    }
}
