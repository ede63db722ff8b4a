package io.millrace.ingest;

import io.millrace.schemas.FailureCode;
import io.millrace.schemas.InferenceFailure;
import java.io.Serial;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Why a prompt has no answer. The kinds are all there are: a {@code switch} over them needs no default. */
public abstract sealed class PromptException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String requestId;

    private PromptException(String requestId, String message, @Nullable Throwable cause) {
        super("request_id=" + requestId + ": " + message, cause);
        this.requestId = requestId;
    }

    /** The prompt's id, as it was sent. */
    public String requestId() {
        return requestId;
    }

    /** The processor says that there will be no answer: the record of the failures topic. */
    public static final class Failed extends PromptException {
        @Serial
        private static final long serialVersionUID = 1L;

        private final InferenceFailure failure;

        Failed(String requestId, InferenceFailure failure) {
            super(requestId, failure.getCode() + ": " + failure.getMessage(), null);
            this.failure = failure;
        }

        /** The whole record: partial text and usage, where there is some. */
        public InferenceFailure failure() {
            return failure;
        }

        /** What kind of failure. */
        public FailureCode code() {
            return failure.getCode();
        }

        /** Whether the same prompt may succeed later. */
        public boolean isRetriable() {
            return failure.getRetriable();
        }
    }

    /** The processor could not read the prompt; its bytes are in the dead-letters topic. Formats may differ, or registries. */
    public static final class DeadLettered extends PromptException {
        @Serial
        private static final long serialVersionUID = 1L;

        DeadLettered(String requestId, String reason) {
            super(requestId, "the processor cannot read it: " + reason, null);
        }
    }

    /** Kafka did not confirm the prompt; the cause says why. After a time-out it may be there and be answered all the same. */
    public static final class NotSent extends PromptException {
        @Serial
        private static final long serialVersionUID = 1L;

        NotSent(String requestId, Throwable cause) {
            super(requestId, "not sent: " + cause.getMessage(), cause);
        }
    }

    /** No answer in the time that the prompt was given. One may still come to its topic. */
    public static final class TimedOut extends PromptException {
        @Serial
        private static final long serialVersionUID = 1L;

        TimedOut(String requestId, Duration timeout) {
            super(requestId, "no answer within " + timeout, null);
        }
    }

    /** The answer is there and cannot be read; the cause says why. */
    public static final class Unreadable extends PromptException {
        @Serial
        private static final long serialVersionUID = 1L;

        Unreadable(String requestId, String place, Throwable cause) {
            super(requestId, "the record at " + place + " cannot be read: " + cause.getMessage(), cause);
        }
    }

    /** The client was closed before the answer came, or had to stop: then the cause says why. The answer comes to its topic. */
    public static final class Closed extends PromptException {
        @Serial
        private static final long serialVersionUID = 1L;

        Closed(String requestId, @Nullable Throwable cause) {
            super(requestId, cause == null ? "the client was closed" : "the client stopped: " + cause, cause);
        }
    }
}
