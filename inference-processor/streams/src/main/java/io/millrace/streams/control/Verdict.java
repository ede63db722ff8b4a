package io.millrace.streams.control;

/** What the commands in force mean for one prompt. */
public sealed interface Verdict {

    /** Nothing is against it. */
    record Proceed() implements Verdict {}

    /**
     * It is to end without an answer.
     *
     * @param message for the failure record: whom the command named, the command's id and its reason
     */
    record Cancelled(String message) implements Verdict {}

    /**
     * It is to wait for a RESUME.
     *
     * @param by whom the command named, e.g. {@code job=nightly}
     */
    record Paused(String by) implements Verdict {}

    /** Nothing is against it. */
    Verdict PROCEED = new Proceed();
}
