/**
 * A real Kafka in this process, for the demo and for tests, and what looks at its topics.
 */
@NullMarked
package io.millrace.devstack;

import org.jspecify.annotations.NullMarked;
