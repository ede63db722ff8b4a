package io.millrace.bench.chaos;

import java.util.Optional;

/**
 * A prompt's ending as a read_committed consumer saw it.
 *
 * @param completedAtMs when it was made, milliseconds since 1970
 * @param seenAtMs when it was seen
 * @param instance the worker that wrote it; dead letters do not say
 */
record Ending(int partition, long offset, long completedAtMs, long seenAtMs, Optional<String> instance) {}
