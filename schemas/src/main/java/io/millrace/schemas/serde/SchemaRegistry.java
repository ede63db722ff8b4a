package io.millrace.schemas.serde;

import io.millrace.schemas.serde.WireFormat.SchemaRef;
import org.apache.avro.Schema;

/**
 * What a serde asks of a registry. Each method throws {@link org.apache.kafka.common.errors.SerializationException} when the registry
 * says no, and {@link RegistryUnavailableException} when it says nothing usable. Safe for many threads; keeps nothing.
 */
interface SchemaRegistry extends AutoCloseable {

    /** A schema with its number. */
    record Registered(int id, Schema schema) {}

    /** The schema's id, after adding it to the subject if it is not there. */
    int register(String subject, Schema schema);

    /** The id of a schema that the subject has. */
    int idOf(String subject, Schema schema);

    /** The subject's newest schema. */
    Registered latest(String subject);

    /** The schema that a value names. */
    Schema byRef(SchemaRef ref);

    @Override
    void close();

    /** The registry that a configuration names. */
    static SchemaRegistry open(RegistryConfig config) {
        return config.mockScope()
                .<SchemaRegistry>map(MockSchemaRegistry::scope)
                .orElseGet(() -> new HttpSchemaRegistry(config));
    }
}
