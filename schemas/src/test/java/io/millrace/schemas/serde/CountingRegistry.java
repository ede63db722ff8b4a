package io.millrace.schemas.serde;

import io.millrace.schemas.serde.WireFormat.SchemaRef;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;

/** Writes down what a registry is asked. */
final class CountingRegistry implements SchemaRegistry {

    final List<String> asked = new ArrayList<>();
    private final SchemaRegistry registry;

    CountingRegistry(SchemaRegistry registry) {
        this.registry = registry;
    }

    @Override
    public int register(String subject, Schema schema) {
        asked.add("register " + subject);
        return registry.register(subject, schema);
    }

    @Override
    public int idOf(String subject, Schema schema) {
        asked.add("id of " + subject);
        return registry.idOf(subject, schema);
    }

    @Override
    public Registered latest(String subject) {
        asked.add("latest " + subject);
        return registry.latest(subject);
    }

    @Override
    public Schema byRef(SchemaRef ref) {
        asked.add(ref.toString());
        return registry.byRef(ref);
    }

    @Override
    public void close() {
        registry.close();
    }
}
