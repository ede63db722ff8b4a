/** What holds after every fault, told from the topics alone: each prompt ended exactly once. */
@NullMarked
package io.millrace.devstack.oracle;

import org.jspecify.annotations.NullMarked;
