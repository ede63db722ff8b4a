/** What is a duplicate, and for how long. */
@NullMarked
package io.millrace.streams.deduplication;

import org.jspecify.annotations.NullMarked;
