/**
 * The failure matrix in virtual time: the product's scheduler, engine loop, processor, intake, gate and commit on a model of
 * Kafka, on one thread, from one seed. {@link io.millrace.streams.simulation.Simulation} is where to start.
 */
@NullMarked
package io.millrace.streams.simulation;

import org.jspecify.annotations.NullMarked;
