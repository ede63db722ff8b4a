package io.millrace.ingest;

import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The header of W3C Trace Context that ties a prompt and its answer to what they are part of. */
final class Traceparent {

    static final String HEADER = "traceparent";

    private static final Pattern FORM =
            Pattern.compile("(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?");

    private Traceparent() {}

    /** A new trace, marked as sampled: whoever records along the way decides by this flag, as a rule. */
    static String begin() {
        return String.format(
                Locale.ROOT,
                "00-%016x%016x-%016x-01",
                notZero(),
                ThreadLocalRandom.current().nextLong(),
                notZero());
    }

    private static long notZero() {
        return ThreadLocalRandom.current().nextLong() | 1;
    }

    /** @throws IllegalArgumentException if it has another form than the standard's */
    static void require(@Nullable String traceparent) {
        if (traceparent == null || !FORM.matcher(traceparent).matches()) {
            throw new IllegalArgumentException("traceparent=" + traceparent
                    + ", expected=00-<32 hex digits>-<16 hex digits>-<2 hex digits>, lower case, ids not all zeros");
        }
    }
}
