/**
 * Commands from the control topic: read by every instance, kept as what is in force, asked by intake before and after a
 * prompt is submitted. Knows prompts by their identity only.
 */
@NullMarked
package io.millrace.streams.control;

import org.jspecify.annotations.NullMarked;
