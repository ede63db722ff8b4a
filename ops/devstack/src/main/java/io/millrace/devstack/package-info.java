/**
 * A real Kafka in this process, for the demo and for tests.
 */
@NullMarked
package io.millrace.devstack;

import org.jspecify.annotations.NullMarked;
