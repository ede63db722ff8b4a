/**
 * On the stream thread: a prompt in, its ending out. The processor only moves bytes between store, intake and sinks; it
 * calls no registry, network, tokenizer, disk or anything else that may block.
 */
@NullMarked
package io.millrace.streams.topology;

import org.jspecify.annotations.NullMarked;
