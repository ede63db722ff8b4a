package io.millrace.streams.simulation;

/**
 * A fault planted into the product from outside: the simulation must find each of them. Of 400 seeds the following fail with
 * faults planted into the sources by hand:
 *
 * <pre>
 *   an ending does not free its place at the gate               375
 *   restored prompts are not submitted                          230
 *   a closed task does not free its places at the gate          177
 *   a retry lane forgets what is to be tried again              106
 *   a retry lane sets no timer                                   63
 *   an adopted request's completion is not passed on             29
 *   the gate stays closed after the registry is back             11
 *   a request refused while it is adopted is not tried again      1
 * </pre>
 *
 * Of ordering by key are found: successors that do not wait, are not woken, or are begun before the ending is forwarded; restored
 * prompts that do not queue, or adopt out of turn; a pause that outlives its prompt. Of deduplication: an id that is not taken, is
 * refused to who has it, is not given back, is given back with an answer, has no window, no end of it or another clock after a
 * restore; too many ids, or none that a restored store knows; a wrong first; an adoption before the decision.
 *
 * <p>Not found, since another check holds: a closed lease that takes endings, an ending that is settled twice, adoption by
 * another prompt of the same offset; a duplicate's decision that runs the prompt beside its adopted request. Not looked at: memory
 * that an orphan keeps for ever, and a configuration that changes between two lives.
 */
enum Mutation {
    NONE,
    /** Commits carry no offset of our own, as in Kafka Streams itself. */
    UNFENCED,
    /** What is answered stays in the pending store. */
    SKIPPED_DELETE,
    /** A restored store looks empty when the task begins. */
    SKIPPED_RECOVERY,
    /** A change of the store reaches the changelog with the next one: perhaps after the commit of its offset. */
    LATE_PUT,
    /** Ordering is asked for, and there is none. */
    UNORDERED,
    /** Taken ids are not restored. */
    FORGOTTEN_REQUESTS,
    /** Ids of prompts that ended without an answer stay taken. */
    KEPT_REQUESTS;

    /** Whether it is about the store of taken ids, not about the pending one. */
    boolean isOfRequests() {
        return this == FORGOTTEN_REQUESTS || this == KEPT_REQUESTS;
    }
}
