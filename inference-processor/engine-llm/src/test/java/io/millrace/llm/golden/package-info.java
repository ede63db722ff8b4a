/** Golden files made by other programs, and the real model. */
@NullMarked
package io.millrace.llm.golden;

import org.jspecify.annotations.NullMarked;
