package io.millrace.cli.redrive;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** What a redriven prompt carries beside the headers it had. A prompt that fails again and is redriven again has the newest only. */
final class RedriveHeaders {

    /** The failure or dead letter that this is a redrive of: {@code topic-partition-offset}. */
    static final String OF = "millrace.redrive.of";

    /** How many redrives led here, decimal. */
    static final String COUNT = "millrace.redrive.count";

    /** Kafka Streams' prefix of what says why a record is a dead letter. */
    private static final String ERRORS = "__streams.errors.";

    private RedriveHeaders() {}

    /** Makes a prompt's headers those of its redrive. */
    static void mark(Headers headers, Place of) {
        long count = text(headers, COUNT)
                        .filter(text -> text.matches("\\d{1,9}"))
                        .map(Long::valueOf)
                        .orElse(0L)
                + 1;
        for (Header header : headers.toArray()) {
            if (header.key().startsWith(ERRORS)) {
                headers.remove(header.key());
            }
        }
        headers.remove(OF).remove(COUNT);
        headers.add(OF, utf8(of.toString()));
        headers.add(COUNT, utf8(Long.toString(count)));
    }

    static Optional<String> text(Headers headers, String name) {
        Header header = headers.lastHeader(name);
        return header == null || header.value() == null
                ? Optional.empty()
                : Optional.of(new String(header.value(), StandardCharsets.UTF_8));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
