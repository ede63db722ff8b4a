/** An engine without a model, which answers with the prompt: for tests of what surrounds an engine, and for load tests. */
@NullMarked
package io.millrace.echo;

import org.jspecify.annotations.NullMarked;
