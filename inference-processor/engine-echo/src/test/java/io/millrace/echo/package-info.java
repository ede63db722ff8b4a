@NullMarked
package io.millrace.echo;

import org.jspecify.annotations.NullMarked;
