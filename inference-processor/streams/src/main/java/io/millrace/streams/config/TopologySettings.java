package io.millrace.streams.config;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * The topology's bounds and times: the section {@code processor}.
 *
 * @param maxPending most prompts pending in this instance, before it stops fetching
 * @param maxPendingPerPartition most prompts pending of one partition
 * @param maxPendingBytes most bytes of pending prompts in this instance
 * @param maxPaused most paused prompts in this instance, beside the pending ones
 * @param intakeThreads threads that decode and validate
 * @param numStreamThreads threads of Kafka Streams
 * @param drainTimeout how long a shutdown waits for answers under way
 * @param orphanGrace how long requests of a task that has closed run on
 * @param engineStallTimeout how long an engine with requests may complete no step
 * @param ordering in which order results appear
 * @param deduplication where prompts are deduplicated by their {@code request_id}
 */
public record TopologySettings(
        int maxPending,
        int maxPendingPerPartition,
        long maxPendingBytes,
        int maxPaused,
        int intakeThreads,
        int numStreamThreads,
        Duration drainTimeout,
        Duration orphanGrace,
        Duration engineStallTimeout,
        Ordering ordering,
        Optional<DeduplicationSettings> deduplication) {

    /**
     * Paused prompts for each that may be pending, by default. They only wait, so there may be many; they are restored and
     * are in memory, so there is an end: 16 × 256 prompts restore within a second or two.
     */
    public static final int PAUSED_PER_PENDING = 16;

    static TopologySettings of(Values values, int maxPending, int maxPendingPerPartition) {
        return new TopologySettings(
                maxPending,
                maxPendingPerPartition,
                values.bytes("max_pending_bytes"),
                values.optionalInteger("max_paused").orElse(PAUSED_PER_PENDING * maxPending),
                values.integer("intake_threads"),
                values.integer("num_stream_threads"),
                values.duration("drain_timeout"),
                values.duration("orphan_grace"),
                values.duration("engine_stall_timeout"),
                Ordering.valueOf(values.text("ordering").toUpperCase(Locale.ROOT)),
                deduplication(values.section("deduplication")));
    }

    private static Optional<DeduplicationSettings> deduplication(Values values) {
        return values.optional("window", Duration.class)
                .map(window -> new DeduplicationSettings(window, values.integer("max_entries")));
    }
}
