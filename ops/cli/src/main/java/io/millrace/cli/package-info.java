/**
 * The millrace command: one class per command, data on stdout, logs and progress on stderr. It may use every module; nothing
 * uses it.
 */
@NullMarked
package io.millrace.cli;

import org.jspecify.annotations.NullMarked;
