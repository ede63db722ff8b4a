/**
 * Faults on purpose: a cluster and worker processes that answer prompts while seeded faults hit them, judged by the exactly-once
 * oracle. And the same without faults for a long time, to see what grows. It knows workers as processes with an HTTP port, and Kafka by its clients.
 */
@NullMarked
package io.millrace.bench.chaos;

import org.jspecify.annotations.NullMarked;
