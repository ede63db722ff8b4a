/**
 * What Kafka and exactly-once cost: the same prompts through the whole pipeline, straight into the engine, and through a
 * topology that calls the engine one record at a time. It may use the processor, the engines and a broker in a JVM of its own.
 */
@NullMarked
package io.millrace.bench.pipeline;

import org.jspecify.annotations.NullMarked;
