package io.millrace.streams.pending;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
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
 * @param aloneIn the mark: which process runs it alone, or did when it was last heard of
 */
public record PendingPrompt(
        byte @Nullable [] key,
        Payload payload,
        List<Header> headers,
        long timestampMs,
        long admittedAtMs,
        int recoveries,
        int strikes,
        Optional<UUID> aloneIn) {

    public PendingPrompt {
        headers = List.copyOf(headers);
    }

    /** A prompt that was just read from its topic. */
    public static PendingPrompt admitted(
            byte @Nullable [] key, Payload payload, List<Header> headers, long timestampMs, long admittedAtMs) {
        return new PendingPrompt(key, payload, headers, timestampMs, admittedAtMs, 0, 0, Optional.empty());
    }

    /** Whether it is marked to run alone. */
    public boolean alone() {
        return aloneIn.isPresent();
    }

    /** The same prompt after one more restart or rebalance. */
    public PendingPrompt recovered() {
        return new PendingPrompt(key, payload, headers, timestampMs, admittedAtMs, recoveries + 1, strikes, aloneIn);
    }

    /** The same prompt after one more death of the process that ran it alone: nobody does now. */
    public PendingPrompt struck() {
        return new PendingPrompt(
                key, payload, headers, timestampMs, admittedAtMs, recoveries, strikes + 1, Optional.empty());
    }

    /** The same prompt, marked to run alone in a process. */
    public PendingPrompt markedAlone(UUID process) {
        return new PendingPrompt(
                key, payload, headers, timestampMs, admittedAtMs, recoveries, strikes, Optional.of(process));
    }

    /** The same prompt without the mark. */
    public PendingPrompt unmarked() {
        return new PendingPrompt(
                key, payload, headers, timestampMs, admittedAtMs, recoveries, strikes, Optional.empty());
    }

    /** The same prompt without what makes it too large. */
    public PendingPrompt reducedTo(Payload.TooLarge size, byte @Nullable [] keptKey, List<Header> keptHeaders) {
        return new PendingPrompt(keptKey, size, keptHeaders, timestampMs, admittedAtMs, recoveries, strikes, aloneIn);
    }
}
