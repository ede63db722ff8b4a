/** Tests of the oracle. */
@NullMarked
package io.millrace.devstack.oracle;

import org.jspecify.annotations.NullMarked;
