/** Tests of the chaos benchmark's parts. */
@NullMarked
package io.millrace.bench.chaos;

import org.jspecify.annotations.NullMarked;
