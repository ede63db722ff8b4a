/**
 * A real Kafka in this process, for the demo and for tests, or a cluster of processes to be broken; and what looks at topics.
 */
@NullMarked
package io.millrace.devstack;

import org.jspecify.annotations.NullMarked;
