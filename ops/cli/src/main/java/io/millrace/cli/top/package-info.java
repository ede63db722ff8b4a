/**
 * The fleet as its metrics topics tell of it: what {@code millrace top} shows. It knows the records, and nothing of Kafka or of
 * terminals.
 */
@NullMarked
package io.millrace.cli.top;

import org.jspecify.annotations.NullMarked;
