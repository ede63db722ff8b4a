/**
 * The configuration file: its keys, described once, and what reads them. The descriptions make the reader, the JSON Schema for
 * editors and the reference for people. It uses the model store (sources), the engine SPI (sampling parameters) and the names of Kafka's properties.
 */
@NullMarked
package io.millrace.streams.config;

import org.jspecify.annotations.NullMarked;
