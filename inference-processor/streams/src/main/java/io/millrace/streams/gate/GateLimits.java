package io.millrace.streams.gate;

import io.millrace.streams.config.TopologySettings;

/**
 * When fetching stops. A fetch that is already under way still arrives, so at most one poll and the buffered records of
 * each thread come on top.
 *
 * @param maxPending most prompts pending in this instance, at least 1
 * @param maxPendingPerPartition most prompts pending of one partition, at least 1
 * @param maxPendingBytes most bytes of pending prompts in this instance, at least 1; paused ones may take as many again
 * @param maxPaused most paused prompts in this instance, at least 1; they count among no other number
 */
public record GateLimits(int maxPending, int maxPendingPerPartition, long maxPendingBytes, int maxPaused) {

    public GateLimits {
        check("max_pending", maxPending);
        check("max_pending_per_partition", maxPendingPerPartition);
        check("max_pending_bytes", maxPendingBytes);
        check("max_paused", maxPaused);
    }

    /** With as many paused prompts as {@link TopologySettings#PAUSED_PER_PENDING} says. */
    public GateLimits(int maxPending, int maxPendingPerPartition, long maxPendingBytes) {
        this(maxPending, maxPendingPerPartition, maxPendingBytes, TopologySettings.PAUSED_PER_PENDING * maxPending);
    }

    private static void check(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=at least 1");
        }
    }
}
