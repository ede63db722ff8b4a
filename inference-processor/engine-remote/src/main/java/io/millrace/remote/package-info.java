/**
 * The engine that asks model servers over HTTP: it keeps a server's batch full without queueing in it, and keeps prompts where the
 * server cannot take them now. Of the pipeline it knows the SPI alone.
 */
@NullMarked
package io.millrace.remote;

import org.jspecify.annotations.NullMarked;
