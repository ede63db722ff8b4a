package io.millrace.remote.protocol;

import com.fasterxml.jackson.databind.JsonNode;

/** Puts one answer together, from the events of a stream or from a whole body. Not for use by several threads. */
public interface AnswerReader {

    /**
     * Takes an event's data, or the body.
     *
     * @throws FaultException when it tells of an error, or cannot be what it should be
     */
    void accept(JsonNode json) throws FaultException;

    /** How many parts with something generated have come. */
    int parts();

    /** Text so far. */
    String text();

    /** Whether nothing belongs to the answer that may still come: the rest is not waited for, and the server is to generate no more. */
    default boolean isComplete() {
        return false;
    }

    /** The server has ended its response in order: what came is all. */
    default void ended() {}

    /**
     * The answer, once nothing more comes.
     *
     * @throws FaultException when it is not whole
     */
    Answer answer() throws FaultException;
}
