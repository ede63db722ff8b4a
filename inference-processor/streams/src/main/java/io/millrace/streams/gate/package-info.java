/**
 * The edges to Kafka's clients: how many prompts are pending and whether more are fetched, and the commit that a broker
 * refuses to a worker that was replaced. Knows Kafka's client interfaces; knows neither engines nor records.
 */
@NullMarked
package io.millrace.streams.gate;

import org.jspecify.annotations.NullMarked;
