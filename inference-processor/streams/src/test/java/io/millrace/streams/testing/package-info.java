/** What tests of the topology share; other modules' tests use it too. */
@NullMarked
package io.millrace.streams.testing;

import org.jspecify.annotations.NullMarked;
