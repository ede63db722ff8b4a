package io.millrace.engine;

/** Kinds of failure; the names are those of the {@code InferenceFailure} record's {@code code}. */
public enum FailureCode {
    /** The request is wrong in itself. */
    INVALID_REQUEST,
    /** No model of that name. */
    MODEL_NOT_FOUND,
    /** The prompt record is larger than the pending store takes. */
    PROMPT_TOO_LARGE,
    /** The prompt has more tokens than the model's context. */
    CONTEXT_LENGTH_EXCEEDED,
    /** The deadline passed while the request waited or ran. */
    DEADLINE_EXCEEDED,
    /** Cancelled on request. */
    CANCELLED,
    /** The engine failed on this request alone. */
    ENGINE_ERROR,
    /** The answer is larger than the broker takes. */
    RESULT_TOO_LARGE,
    /** A prompt with the same request_id was taken shortly before, and prompts are deduplicated. */
    DUPLICATE_REQUEST
}
