/**
 * Named models to verified local files: fetched once, resumed, checked by size and SHA-256. It uses the JDK and slf4j only.
 */
@NullMarked
package io.millrace.modelstore;

import org.jspecify.annotations.NullMarked;
