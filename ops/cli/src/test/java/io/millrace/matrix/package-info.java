/** The failure matrix as a whole: that each row has its tests, and the table of how they went. */
@NullMarked
package io.millrace.matrix;

import org.jspecify.annotations.NullMarked;
