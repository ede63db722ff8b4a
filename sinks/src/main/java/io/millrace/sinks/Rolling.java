package io.millrace.sinks;

import java.time.Duration;
import java.time.InstantSource;

/**
 * When a file is finished.
 *
 * @param maxBytes before it would grow over this
 * @param maxAge when its first record is this old
 * @param clock what says how old
 */
record Rolling(long maxBytes, Duration maxAge, InstantSource clock) {}
