package io.millrace.streams.records;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** Headers that say why a record is a dead letter, by the names and in the encoding (UTF-8 text) of Kafka Streams' own. */
public final class DeadLetterHeaders {

    /** Class of the exception. */
    public static final String EXCEPTION = "__streams.errors.exception";

    /** Its message. */
    public static final String MESSAGE = "__streams.errors.message";

    /** Its stack trace, the first {@value #MAX_STACKTRACE_CHARS} characters. */
    public static final String STACKTRACE = "__streams.errors.stacktrace";

    /** Topic the record came from. */
    public static final String TOPIC = "__streams.errors.topic";

    /** Its partition, decimal. */
    public static final String PARTITION = "__streams.errors.partition";

    /** Its offset, decimal. */
    public static final String OFFSET = "__streams.errors.offset";

    /** Bound on {@link #STACKTRACE}. */
    public static final int MAX_STACKTRACE_CHARS = 4096;

    /** Bound on {@link #MESSAGE}. */
    public static final int MAX_MESSAGE_CHARS = 2048;

    private DeadLetterHeaders() {}

    /** The headers, without a stack trace. */
    static List<Header> of(Origin origin, Exception cause) {
        List<Header> headers = new ArrayList<>();
        headers.add(header(EXCEPTION, cause.getClass().getName()));
        headers.add(header(MESSAGE, shorten(String.valueOf(cause.getMessage()), MAX_MESSAGE_CHARS)));
        headers.add(header(TOPIC, origin.topic()));
        headers.add(header(PARTITION, Integer.toString(origin.partition())));
        headers.add(header(OFFSET, Long.toString(origin.offset())));
        return headers;
    }

    static Header stacktrace(Exception cause) {
        StringWriter text = new StringWriter();
        cause.printStackTrace(new PrintWriter(text));
        return header(STACKTRACE, shorten(text.toString(), MAX_STACKTRACE_CHARS));
    }

    static String shorten(String text, int maxChars) {
        return text.length() <= maxChars ? text : text.substring(0, maxChars) + "…";
    }

    private static Header header(String name, String value) {
        return new RecordHeader(name, value.getBytes(StandardCharsets.UTF_8));
    }
}
