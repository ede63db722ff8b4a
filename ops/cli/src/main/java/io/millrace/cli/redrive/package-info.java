/**
 * Failures and dead letters back into the prompts topic, each once. Uses the records' schemas, the clients of Kafka and the
 * headers' names of the topology.
 */
@NullMarked
package io.millrace.cli.redrive;

import org.jspecify.annotations.NullMarked;
