/**
 * Named models to verified local files: fetched once, resumed, checked by SHA-256.
 */
@NullMarked
package io.millrace.modelstore;

import org.jspecify.annotations.NullMarked;
