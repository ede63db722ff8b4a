/**
 * Health and metrics over HTTP, for probes and for Prometheus.
 */
@NullMarked
package io.millrace.streams.http;

import org.jspecify.annotations.NullMarked;
