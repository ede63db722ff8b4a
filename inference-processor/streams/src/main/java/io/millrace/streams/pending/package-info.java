/**
 * First step of the main path: a prompt is written to the pending store, in the transaction that commits its input
 * offset, and stays there until its answer is forwarded. Uses Kafka's record types only.
 */
@NullMarked
package io.millrace.streams.pending;

import org.jspecify.annotations.NullMarked;
