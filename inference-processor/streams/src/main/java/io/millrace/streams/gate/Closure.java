package io.millrace.streams.gate;

/**
 * One reason for which nothing is fetched.
 *
 * @param reason of which kind
 * @param subject who it is about: a model's name, a paused job or tenant, or empty
 */
public record Closure(Reason reason, String subject) {

    /** Kinds of reason. */
    public enum Reason {
        /** As many prompts are pending as may be. */
        FULL,
        /** As many prompts are paused as may be; the subject is whose pause held the last of them. */
        PAUSED,
        /** The schema registry does not answer. */
        REGISTRY,
        /** An engine takes no requests. */
        ENGINE,
        /** An engine answers no more; the application stops. */
        STALLED,
        /** The application is closing. */
        SHUTDOWN
    }

    @Override
    public String toString() {
        return subject.isEmpty() ? reason.name() : reason + "(" + subject + ")";
    }
}
