/** Tests of the checkout as a whole: who uses whom, and tidiness. */
@NullMarked
package io.millrace.architecture;

import org.jspecify.annotations.NullMarked;
