package io.millrace.streams.config;

import java.time.Duration;

/**
 * How long, and how many, a partition remembers the {@code request_id}s that it has taken.
 *
 * @param window at least 1 ms
 * @param maxEntries of one partition, at least 1; beyond it the oldest is forgotten
 */
public record DeduplicationSettings(Duration window, int maxEntries) {

    public DeduplicationSettings {
        if (window.toMillis() < 1) {
            throw new IllegalArgumentException("deduplication.window=" + window + ", expected=at least 1 ms");
        }
        if (maxEntries < 1) {
            throw new IllegalArgumentException("deduplication.max_entries=" + maxEntries + ", expected=at least 1");
        }
    }
}
