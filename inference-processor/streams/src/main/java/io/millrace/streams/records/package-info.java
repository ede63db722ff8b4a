/**
 * What goes out: results, failures, metrics and dead letters as bytes, each small enough for its topic. Made on intake
 * threads, because a serializer may ask a schema registry.
 */
@NullMarked
package io.millrace.streams.records;

import org.jspecify.annotations.NullMarked;
