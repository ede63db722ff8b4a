/**
 * Results topics into files and tables, exactly once by offsets stored with the data.
 */
@NullMarked
package io.millrace.sinks;

import org.jspecify.annotations.NullMarked;
