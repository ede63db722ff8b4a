/**
 * The topology and what runs it.
 */
@NullMarked
package io.millrace.streams;

import org.jspecify.annotations.NullMarked;
