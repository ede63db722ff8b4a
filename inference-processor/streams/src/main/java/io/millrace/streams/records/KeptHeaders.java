package io.millrace.streams.records;

import java.util.List;
import java.util.Set;
import org.apache.kafka.common.header.Header;

/** What is left of a prompt's headers where all of them are too many: trace context, and how {@code PromptClient} knows its own. */
public final class KeptHeaders {

    private static final Set<String> NAMES = Set.of("traceparent", "tracestate", "millrace.correlation_id");

    private KeptHeaders() {}

    /** Those of them that are kept, in order. */
    public static List<Header> of(List<Header> headers) {
        return headers.stream().filter(header -> NAMES.contains(header.key())).toList();
    }
}
