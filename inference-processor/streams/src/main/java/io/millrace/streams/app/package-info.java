/**
 * Starts and stops the topology: topics, Kafka's configuration, clients, engines, health.
 */
@NullMarked
package io.millrace.streams.app;

import org.jspecify.annotations.NullMarked;
