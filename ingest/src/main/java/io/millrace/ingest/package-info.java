/**
 * Producing, the first step of the main path: prompts from files and programs into the prompts topic. Uses only the
 * schemas and Kafka's clients.
 */
@NullMarked
package io.millrace.ingest;

import org.jspecify.annotations.NullMarked;
