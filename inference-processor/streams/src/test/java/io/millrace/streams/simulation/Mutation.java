package io.millrace.streams.simulation;

/** A fault planted into the product from outside: the simulation must find each of them. */
enum Mutation {
    NONE,
    /** Commits carry no offset of our own, as in Kafka Streams itself. */
    UNFENCED,
    /** What is answered stays in the pending store. */
    SKIPPED_DELETE,
    /** A restored store looks empty when the task begins. */
    SKIPPED_RECOVERY,
    /** A change of the store reaches the changelog with the next one: perhaps after the commit of its offset. */
    LATE_PUT
}
