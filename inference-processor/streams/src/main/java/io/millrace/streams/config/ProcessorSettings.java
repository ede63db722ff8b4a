package io.millrace.streams.config;

import java.time.Duration;

/**
 * The topology's bounds and times.
 *
 * @param maxPending most prompts pending in this instance, before it stops fetching
 * @param maxPendingPerPartition most prompts pending of one partition
 * @param maxPendingBytes most bytes of pending prompts in this instance
 * @param maxPromptBytes most bytes of one prompt record
 * @param intakeThreads threads that decode and validate
 * @param intakeQueue most prompts that wait for an intake thread
 * @param numStreamThreads threads of Kafka Streams
 * @param commitInterval longest time between two commits while there is something to commit
 * @param retryBackoff before a registry or an engine that refused is asked again
 * @param drainTimeout how long a shutdown waits for answers under way
 * @param engineMetricsInterval length of one engine-metrics record
 */
public record ProcessorSettings(
        int maxPending,
        int maxPendingPerPartition,
        long maxPendingBytes,
        int maxPromptBytes,
        int intakeThreads,
        int intakeQueue,
        int numStreamThreads,
        Duration commitInterval,
        Duration retryBackoff,
        Duration drainTimeout,
        Duration engineMetricsInterval) {

    static ProcessorSettings of(Values values, int maxPending, int maxPendingPerPartition) {
        return new ProcessorSettings(
                maxPending,
                maxPendingPerPartition,
                values.bytes("max_pending_bytes"),
                Math.toIntExact(values.bytes("max_prompt_bytes")),
                values.integer("intake_threads"),
                values.optionalInteger("intake_queue").orElse(maxPending),
                values.integer("num_stream_threads"),
                values.duration("commit_interval"),
                values.duration("retry_backoff"),
                values.duration("drain_timeout"),
                values.duration("engine_metrics_interval"));
    }
}
