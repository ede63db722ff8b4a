/** Commands, and the topic they come by. */
@NullMarked
package io.millrace.streams.control;

import org.jspecify.annotations.NullMarked;
