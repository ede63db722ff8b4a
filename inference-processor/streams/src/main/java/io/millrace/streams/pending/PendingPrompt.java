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

    /** The same prompt after one more restart or rebalance: its mark is taken off, since it does not run now. */
    public PendingPrompt recovered() {
        return new PendingPrompt(key, payload, headers, timestampMs, admittedAtMs, recoveries + 1, strikes, false);
    }

    /** The same prompt after one more death of the process that ran it alone. */
    public PendingPrompt struck() {
        return new PendingPrompt(key, payload, headers, timestampMs, admittedAtMs, recoveries, strikes + 1, alone);
    }

    /** The same prompt, marked to run alone. */
    public PendingPrompt markedAlone() {
        return new PendingPrompt(key, payload, headers, timestampMs, admittedAtMs, recoveries, strikes, true);
    }

    /** The same prompt without the mark. */
    public PendingPrompt unmarked() {
        return new PendingPrompt(key, payload, headers, timestampMs, admittedAtMs, recoveries, strikes, false);
    }

    /** The same prompt without what makes it too large. */
    public PendingPrompt reducedTo(Payload.TooLarge size, byte @Nullable [] keptKey, List<Header> keptHeaders) {
        return new PendingPrompt(keptKey, size, keptHeaders, timestampMs, admittedAtMs, recoveries, strikes, alone);
    }
}
