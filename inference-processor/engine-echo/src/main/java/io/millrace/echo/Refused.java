package io.millrace.echo;

import io.millrace.engine.Completion;

/** A request that is wrong in itself. */
record Refused(Completion.Failed failure) implements Reply {}
