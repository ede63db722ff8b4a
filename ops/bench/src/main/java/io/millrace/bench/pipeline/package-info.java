/**
 * What Kafka and exactly-once cost: the same prompts through the whole pipeline, straight into the engine, and through a
 * topology that calls the engine one record at a time; and the same in front of a model server. It may use the processor, the
 * engines, and a broker and a server in processes of their own.
 */
@NullMarked
package io.millrace.bench.pipeline;

import org.jspecify.annotations.NullMarked;
