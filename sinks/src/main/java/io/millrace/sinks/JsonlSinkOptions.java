package io.millrace.sinks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What a {@link JsonlSink} reads and where it writes.
 *
 * @param directory where the files go; created if missing; used by one sink at a time
 * @param topics one or more topics, all partitions of each
 * @param kafka consumer properties by Kafka's names; {@code bootstrap.servers} is required. The sink itself sets
 *     {@code isolation.level}, {@code auto.offset.reset} and {@code enable.auto.commit}, and has no use for a group
 * @param maxBytes a file is finished before it grows over this many bytes, at least 1; one record may be larger
 * @param maxAge a file is finished when its first record has waited this long, more than zero
 * @param end when {@link JsonlSink#run} returns
 */
public record JsonlSinkOptions(
        Path directory, List<String> topics, Map<String, String> kafka, long maxBytes, Duration maxAge, End end) {
    public static final long DEFAULT_MAX_BYTES = 64L << 20;
    public static final Duration DEFAULT_MAX_AGE = Duration.ofMinutes(10);

    /** When a sink has done its work. */
    public enum End {
        /** Never: it follows the topics until it is stopped. */
        FOLLOW,
        /** When it has written all that was committed when it started. */
        UNTIL_END
    }

    public JsonlSinkOptions {
        topics = List.copyOf(topics);
        kafka = Map.copyOf(kafka);
        if (topics.isEmpty()) {
            throw new IllegalArgumentException("topics=[], expected=one or more topics");
        }
        if (maxBytes < 1) {
            throw new IllegalArgumentException("max_bytes=" + maxBytes + ", expected=at least 1");
        }
        if (maxAge.isNegative() || maxAge.isZero()) {
            throw new IllegalArgumentException("max_age=" + maxAge + ", expected=more than zero");
        }
    }

    /** The defaults: 64 MiB, 10 minutes, following. */
    public static JsonlSinkOptions of(Path directory, List<String> topics, Map<String, String> kafka) {
        return new JsonlSinkOptions(directory, topics, kafka, DEFAULT_MAX_BYTES, DEFAULT_MAX_AGE, End.FOLLOW);
    }

    public JsonlSinkOptions withMaxBytes(long bytes) {
        return new JsonlSinkOptions(directory, topics, kafka, bytes, maxAge, end);
    }

    public JsonlSinkOptions withMaxAge(Duration age) {
        return new JsonlSinkOptions(directory, topics, kafka, maxBytes, age, end);
    }

    public JsonlSinkOptions withEnd(End newEnd) {
        return new JsonlSinkOptions(directory, topics, kafka, maxBytes, maxAge, newEnd);
    }
}
