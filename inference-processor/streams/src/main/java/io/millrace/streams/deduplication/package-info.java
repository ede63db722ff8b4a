/**
 * Which {@code request_id}s a task has taken lately: a second store beside the pending one, in the same transactions. Only
 * where deduplication is asked for.
 */
@NullMarked
package io.millrace.streams.deduplication;

import org.jspecify.annotations.NullMarked;
