package io.millrace.remote.protocol;

import io.millrace.engine.FailureCode;
import java.time.Duration;
import java.util.Optional;

/** Why an attempt brought no answer, and whose fault it is. */
public sealed interface Fault {

    /** Which kind, for metrics. */
    Kind kind();

    /** For people. */
    String message();

    /** Kinds of faults. */
    enum Kind {
        /** No connection. */
        CONNECT,
        /** 429. */
        RATE_LIMITED,
        /** 503: no server there now. */
        UNAVAILABLE,
        /** 502: what is behind the server that answered is not there, or ended. */
        BAD_GATEWAY,
        /** 404, 405: a path or a name that the server does not know. */
        NOT_FOUND,
        /** Credentials that the server does not take, or another way than it asks for. */
        MISCONFIGURED,
        /** Nothing came for too long: to here, or (408, 504) to a gateway. */
        TIMEOUT,
        /** Not the answer that the protocol promises, or only a part of it. */
        BROKEN_BODY,
        /** Other 5xx. */
        SERVER_ERROR,
        /** The request is wrong. */
        INVALID_REQUEST,
        /** The prompt does not fit. */
        CONTEXT_LENGTH
    }

    /**
     * The server takes nothing now, whatever is asked.
     *
     * @param retryAfter as the server asks for
     */
    record Away(Kind kind, String message, Optional<Duration> retryAfter) implements Fault {

        /** Whether some servers say it of one request alone; that they are busy, starting or not there they say of all. */
        public boolean mayBeOfRequest() {
            return switch (kind) {
                case BAD_GATEWAY, NOT_FOUND, MISCONFIGURED, TIMEOUT -> true;
                default -> false;
            };
        }
    }

    /** The attempt failed; another may do better. */
    record Broken(Kind kind, String message) implements Fault {}

    /** The server will never answer this request. */
    record Refused(Kind kind, FailureCode code, String message) implements Fault {

        /** Wrong in itself. */
        public static Refused invalid(String message) {
            return new Refused(Kind.INVALID_REQUEST, FailureCode.INVALID_REQUEST, message);
        }
    }
}
