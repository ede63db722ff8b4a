package io.millrace.ingest;

import io.millrace.schemas.InferenceResult;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a model answered.
 *
 * @param result the whole record: usage, timings, finish reason, model and version
 * @param traceparent of the trace that the prompt was part of
 */
public record Answer(InferenceResult result, String traceparent) {

    /** The prompt's id. */
    public String requestId() {
        return result.getRequestId();
    }

    /**
     * The generated text.
     *
     * @throws IllegalStateException if the operation gives none
     */
    public String text() {
        return given("text", result.getText());
    }

    /**
     * The embedding.
     *
     * @throws IllegalStateException if the operation gives none
     */
    public List<Float> embedding() {
        return given("embedding", result.getEmbedding());
    }

    private <T> T given(String what, @Nullable T value) {
        if (value == null) {
            throw new IllegalStateException(what + "=absent, expected=an operation that gives one, not "
                    + result.getOperation() + " (request_id=" + requestId() + ")");
        }
        return value;
    }
}
