/**
 * Serializers of the records: both ends of the main path, where a prompt's bytes become a {@link
 * io.millrace.schemas.PromptRequest} and an answer's record becomes bytes. {@link io.millrace.schemas.serde.RecordSerdes} makes
 * them.
 *
 * <p>JSON: {@code JsonRecordReader} and {@code JsonRecordWriter} follow the record's Avro schema. Avro: {@code WireFormat} takes
 * Confluent's frame apart, {@code SchemaRegistry} (HTTP or mock) knows the schemas, a {@code BoundedCache} keeps them. Uses Avro,
 * Jackson, Kafka's common types and the JDK's HTTP client; knows nothing of topics, engines or the command line.
 */
@NullMarked
package io.millrace.schemas.serde;

import org.jspecify.annotations.NullMarked;
