/**
 * Faults on purpose: a cluster and worker processes that answer prompts while seeded faults hit them, judged by the exactly-once
 * oracle. It knows workers as processes with an HTTP port, and Kafka by its clients.
 */
@NullMarked
package io.millrace.bench.chaos;

import org.jspecify.annotations.NullMarked;
