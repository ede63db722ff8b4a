package io.millrace.engine;

/** A constraint on the answer's form. An engine that cannot hold to one refuses the request: {@code INVALID_REQUEST}. */
public sealed interface ResponseFormat {

    /** No constraint. */
    ResponseFormat TEXT = new Text();

    /** The name in records. */
    String wireName();

    /** Any text. */
    record Text() implements ResponseFormat {
        @Override
        public String wireName() {
            return "text";
        }
    }

    /** One JSON object. */
    record JsonObject() implements ResponseFormat {
        @Override
        public String wireName() {
            return "json_object";
        }
    }

    /**
     * JSON that a schema accepts.
     *
     * @param schema JSON Schema, as JSON text
     */
    record JsonSchema(String schema) implements ResponseFormat {
        @Override
        public String wireName() {
            return "json_schema";
        }
    }
}
