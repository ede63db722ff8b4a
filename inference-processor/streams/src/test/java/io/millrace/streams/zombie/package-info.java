/** A worker that was replaced while it stood still. */
@NullMarked
package io.millrace.streams.zombie;

import org.jspecify.annotations.NullMarked;
