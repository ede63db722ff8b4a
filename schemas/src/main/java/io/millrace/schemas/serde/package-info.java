/**
 * Serializers of the records: Avro in the Confluent wire format, and JSON.
 */
@NullMarked
package io.millrace.schemas.serde;

import org.jspecify.annotations.NullMarked;
