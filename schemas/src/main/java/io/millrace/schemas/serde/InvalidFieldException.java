package io.millrace.schemas.serde;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Serial;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * A record that is well-formed JSON but has a field that is unknown, missing or of the wrong type. The message reads
 * {@code field=value, expected=…}. Carries what else of the record could be read, so that its sender can be answered.
 */
public final class InvalidFieldException extends KafkaException {

    @Serial
    private static final long serialVersionUID = 1L;

    /** Longest value that a message repeats, in characters. */
    private static final int MAX_VALUE_CHARS = 200;

    private final String field;
    private final String value;
    private final String expected;
    private final @Nullable String requestId;
    private final @Nullable String model;
    private final @Nullable String tenant;
    private final @Nullable String jobId;
    private final Map<String, String> metadata;

    /**
     * @param field path of the field, e.g. {@code messages[1].role}
     * @param value the field's value as JSON, or {@code absent}
     * @param root the whole record
     */
    InvalidFieldException(String field, String value, String expected, JsonNode root) {
        super(field + "=" + shorten(value) + ", expected=" + expected);
        this.field = field;
        this.value = shorten(value);
        this.expected = expected;
        this.requestId = text(root, "request_id");
        this.model = text(root, "model");
        this.tenant = text(root, "tenant");
        this.jobId = text(root, "job_id");
        this.metadata = strings(root.path("metadata"));
    }

    /** Path of the field, e.g. {@code messages[1].role}. */
    public String field() {
        return field;
    }

    /** The field's value as JSON, shortened; {@code absent} where there is none. */
    public String value() {
        return value;
    }

    /** What the field should have been. */
    public String expected() {
        return expected;
    }

    /** The record's {@code request_id}, where it is readable. */
    public Optional<String> requestId() {
        return Optional.ofNullable(requestId);
    }

    /** The record's {@code model}, where it is readable. */
    public Optional<String> model() {
        return Optional.ofNullable(model);
    }

    /** The record's {@code tenant}, where it is readable. */
    public Optional<String> tenant() {
        return Optional.ofNullable(tenant);
    }

    /** The record's {@code job_id}, where it is readable. */
    public Optional<String> jobId() {
        return Optional.ofNullable(jobId);
    }

    /** The entries of the record's {@code metadata} that are readable. */
    public Map<String, String> metadata() {
        return Map.copyOf(metadata);
    }

    private static String shorten(String value) {
        return value.length() <= MAX_VALUE_CHARS ? value : value.substring(0, MAX_VALUE_CHARS) + "…";
    }

    private static @Nullable String text(JsonNode root, String name) {
        String text = root.path(name).textValue();
        return text == null ? null : WellFormed.repaired(text);
    }

    private static Map<String, String> strings(JsonNode object) {
        Map<String, String> strings = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            if (entry.getValue().isTextual()) {
                strings.put(
                        WellFormed.repaired(entry.getKey()),
                        WellFormed.repaired(entry.getValue().textValue()));
            }
        }
        return strings;
    }
}
