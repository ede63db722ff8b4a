/**
 * What happens, as Prometheus metrics. It hears the topology through its observer and reads gauges from the application's status.
 */
@NullMarked
package io.millrace.streams.metrics;

import org.jspecify.annotations.NullMarked;
