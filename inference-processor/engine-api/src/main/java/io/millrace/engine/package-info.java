/**
 * The engine SPI: all that the topology knows of an engine, and nothing else. It uses the JDK only.
 */
@NullMarked
package io.millrace.engine;

import org.jspecify.annotations.NullMarked;
