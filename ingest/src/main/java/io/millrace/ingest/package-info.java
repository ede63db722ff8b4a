/**
 * Producing: prompts from files and programs into the prompts topic.
 */
@NullMarked
package io.millrace.ingest;

import org.jspecify.annotations.NullMarked;
