package io.millrace.schemas.serde;

import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * Answers keep their prompt's headers. One of these may name the schema that the prompt was written with, and would make readers decode
 * the answer with it.
 */
final class StaleHeaders {

    private StaleHeaders() {}

    static void remove(@Nullable Headers headers) {
        if (headers != null && headers.lastHeader(WireFormat.SCHEMA_ID_HEADER) != null) {
            headers.remove(WireFormat.SCHEMA_ID_HEADER);
        }
    }
}
