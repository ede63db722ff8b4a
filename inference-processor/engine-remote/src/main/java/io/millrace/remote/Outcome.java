package io.millrace.remote;

import io.millrace.remote.protocol.Answer;
import io.millrace.remote.protocol.Fault;

/** How an attempt ended. */
sealed interface Outcome {

    /** With an answer. */
    record Answered(Answer answer) implements Outcome {}

    /**
     * Without one, by the server.
     *
     * @param partialText what had come
     */
    record Faulted(Fault fault, String partialText) implements Outcome {}

    /**
     * Without one, from here.
     *
     * @param partialText what had come
     */
    record Stopped(Attempt.Stop why, String partialText) implements Outcome {}
}
