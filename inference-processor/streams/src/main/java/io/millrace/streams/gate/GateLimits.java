package io.millrace.streams.gate;

/**
 * When fetching stops. A fetch that is already under way still arrives, so at most one poll and the buffered records of
 * each thread come on top.
 *
 * @param maxPending most prompts pending in this instance, at least 1
 * @param maxPendingPerPartition most prompts pending of one partition, at least 1
 * @param maxPendingBytes most bytes of pending prompts in this instance, at least 1
 */
public record GateLimits(int maxPending, int maxPendingPerPartition, long maxPendingBytes) {

    public GateLimits {
        check("max_pending", maxPending);
        check("max_pending_per_partition", maxPendingPerPartition);
        check("max_pending_bytes", maxPendingBytes);
    }

    private static void check(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + "=" + value + ", expected=at least 1");
        }
    }
}
