/**
 * Off the stream thread: raw records are decoded, validated, routed to an engine and submitted; endings are made into
 * records. Here, and only here, the topology's code may block: on a schema registry.
 */
@NullMarked
package io.millrace.streams.intake;

import org.jspecify.annotations.NullMarked;
